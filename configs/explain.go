package configs

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
)

// foreign are the names that nanoGPT and Hugging Face have for our keys.
var foreign = map[string]string{
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
}

// explain makes one line of the YAML library's error: where, what, and for an
// unknown key the one that was perhaps meant.
func explain(err error, name string) error {
	var detail yaml.Error
	if !errors.As(err, &detail) {
		return fmt.Errorf("%s: %s", name, oneLine(err.Error()))
	}
	where := name
	token := detail.GetToken()
	if token != nil && token.Position != nil {
		where = fmt.Sprintf("%s:%d:%d", name, token.Position.Line, token.Position.Column)
	}
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) && token != nil {
		return fmt.Errorf("%s: unknown key %q%s", where, token.Value, suggest(token.Value))
	}
	var wrongType *yaml.TypeError
	if errors.As(err, &wrongType) && token != nil {
		return fmt.Errorf("%s: %q is not %s", where, token.Value, kindName(wrongType.DstType))
	}
	return fmt.Errorf("%s: %s", where, oneLine(detail.GetMessage()))
}

// kindName is a Go type in words.
func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Uint64:
		return "a whole number of 0 or more"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct:
		return "a section with keys of its own"
	}
	return "a text"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// suggest names the known key that is closest to key, if any is close.
func suggest(key string) string {
	if ours, ok := foreign[key]; ok {
		return fmt.Sprintf(": here it is called %s", ours)
	}
	best, distance := "", len(key)/2+1
	for _, k := range keys() {
		_, field, _ := strings.Cut(k, ".")
		if d := min(editDistance(key, field), editDistance(key, k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ": expected one of " + strings.Join(keys(), ", ")
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// keys lists every section.key of Config.
func keys() []string {
	var out []string
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		section := tag(t.Field(i))
		for j := range t.Field(i).Type.NumField() {
			out = append(out, section+"."+tag(t.Field(i).Type.Field(j)))
		}
	}
	return out
}

func tag(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// editDistance is Levenshtein's: insertions, deletions and replacements.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
