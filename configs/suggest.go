package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tinygpt/internal/suggest"
)

// Elsewhere are the names that nanoGPT and Hugging Face have for our keys.
var Elsewhere = map[string]string{
	"n_layer": "model.layers", "num_hidden_layers": "model.layers",
	"n_head": "model.heads", "num_attention_heads": "model.heads",
	"n_embd": "model.width", "hidden_size": "model.width", "d_model": "model.width",
	"block_size": "model.context", "n_positions": "model.context", "n_ctx": "model.context",
	"initializer_range": "model.init_std",
	"max_iters":         "train.steps", "max_steps": "train.steps",
	"min_lr": "train.min_learning_rate", "lr": "train.learning_rate",
	"warmup_iters": "train.warmup_steps", "max_grad_norm": "train.grad_clip",
	"adam_beta1": "train.beta1", "adam_beta2": "train.beta2", "adam_epsilon": "train.epsilon",
	"per_device_train_batch_size": "train.batch_size",
	"dataset":                     "data.files", "max_new_tokens": "sample.max_tokens",
	"stop_strings": "sample.stop",
}

// didYouMean names the key of a configuration of type t that is closest to key, a key at
// the top ("") or in a section.
func didYouMean(t reflect.Type, section, key string) string {
	known := keys(t)
	if of, field, dotted := strings.Cut(key, "."); dotted && slices.Contains(known, key) {
		return fmt.Sprintf("a setting is a key within its section: write `%s: {%s: VALUE}`", of, field)
	}
	if ours, ok := Elsewhere[key]; ok && slices.Contains(known, ours) {
		return "here it is called " + ours
	}
	best, distance := "", len(key)/2+1
	for _, k := range known {
		of, field, _ := strings.Cut(k, ".")
		d := min(suggest.Distance(key, field), suggest.Distance(key, k))
		if section == "" && suggest.Distance(key, of) < d {
			k, d = of, suggest.Distance(key, of)
		}
		if d < distance || d == distance && of == section && !strings.HasPrefix(best, section+".") {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	var possible []string
	for _, k := range known {
		of, field, _ := strings.Cut(k, ".")
		switch {
		case section == "" && !slices.Contains(possible, of):
			possible = append(possible, of)
		case section == of:
			possible = append(possible, field)
		}
	}
	return "expected one of " + strings.Join(possible, ", ")
}

// Keys lists every section.key of Config.
func Keys() []string { return keys(reflect.TypeFor[Config]()) }

// keys lists every section.key of a configuration of that type. For the type of a single
// section it lists the section's keys.
func keys(t reflect.Type) (out []string) {
	for _, section := range Fields(t) {
		if section.Type.Kind() != reflect.Struct {
			out = append(out, Tag(section))
			continue
		}
		for _, f := range Fields(section.Type) {
			out = append(out, Tag(section)+"."+Tag(f))
		}
	}
	return out
}

// Tag is the key of a field in YAML.
func Tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}
