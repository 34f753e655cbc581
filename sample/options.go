package sample

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Options say how tokens are drawn.
type Options struct {
	// The filters are in the order in which they act: that of Hugging Face's
	// GenerationMixin._get_logits_processor, then OpenAI's penalties. A new one is a
	// field here and a file.

	// RepetitionPenalty divides positive logits of tokens that came before, and multiplies
	// negative ones; 1: off.
	RepetitionPenalty RepetitionPenalty `yaml:"repetition_penalty"`
	// PresencePenalty is subtracted from the logits of tokens that were drawn before; 0: off.
	PresencePenalty PresencePenalty `yaml:"presence_penalty,omitempty"`
	// FrequencyPenalty is subtracted from a token's logit for each time that it was drawn
	// before; 0: off.
	FrequencyPenalty FrequencyPenalty `yaml:"frequency_penalty,omitempty"`
	// Temperature divides the logits: below 1 likely tokens get likelier; 0 takes the
	// likeliest.
	Temperature Temperature `yaml:"temperature"`
	// TopK draws from that many of the likeliest tokens; 0: from all.
	TopK TopK `yaml:"top_k"`
	// TopP draws from the fewest tokens whose probabilities sum to it; 1: from all.
	TopP TopP `yaml:"top_p"`
	// MinP draws from the tokens that are at least that many times as likely as the
	// likeliest; 0: from all.
	MinP MinP `yaml:"min_p"`

	// MaxTokens ends a text that doesn't end by itself.
	MaxTokens int `yaml:"max_tokens"`
	// Stop texts end a text before the first of them.
	Stop []string `yaml:"stop,omitempty"`
}

// Default draws from the model's own distribution, with nothing filtered.
func Default() Options {
	return Options{RepetitionPenalty: 1, Temperature: 1, TopP: 1, MaxTokens: 200}
}

// Filter is one step from logits to the choice of a token. Its value is its setting.
type Filter interface {
	// Usage says in a few words what the setting does.
	Usage() string
	// Validate says what is wrong with the setting.
	Validate() error
	// IsDefault reports whether the setting changes nothing.
	IsDefault() bool
	// Apply changes the scores of candidates, or drops candidates; at least one stays.
	Apply(c *Candidates)
}

// Setting is a filter in some Options, with the name of its key.
type Setting struct {
	Key    string // as in YAML: top_k
	Filter Filter
	value  reflect.Value
}

// Flag is the setting's name on the command line.
func (s Setting) Flag() string { return strings.ReplaceAll(s.Key, "_", "-") }

// Set changes the setting in the Options that it came from.
func (s Setting) Set(text string) error {
	var err error
	switch kind := s.value.Kind(); kind {
	case reflect.Int:
		var n int64
		if n, err = strconv.ParseInt(text, 10, strconv.IntSize); err != nil {
			return errors.New("expected a whole number")
		}
		s.value.SetInt(n)
	case reflect.Float64:
		var x float64
		if x, err = strconv.ParseFloat(text, 64); err != nil {
			return errors.New("expected a number")
		}
		s.value.SetFloat(x)
	default:
		panic("sample: a filter of kind " + kind.String())
	}
	return nil
}

// Filters lists the settings of o that are filters, in the order in which they act.
func (o *Options) Filters() []Setting {
	var list []Setting
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		if f, ok := v.Field(i).Interface().(Filter); ok {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			list = append(list, Setting{key, f, v.Field(i)})
		}
	}
	return list
}

// active returns the filters that change something.
func (o *Options) active() []Filter {
	var list []Filter
	for _, s := range o.Filters() {
		if !s.Filter.IsDefault() {
			list = append(list, s.Filter)
		}
	}
	return list
}

// Validate says what is wrong with o.
func (o Options) Validate() error {
	var errs []error
	for _, s := range o.Filters() {
		if err := s.Filter.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s is %v: %w", s.Flag(), s.Filter, err))
		}
	}
	if o.MaxTokens < 1 {
		errs = append(errs, fmt.Errorf("max-tokens is %d: expected 1 or more", o.MaxTokens))
	}
	for _, s := range o.Stop {
		if s == "" {
			errs = append(errs, errors.New("a stop text is empty: expected one character or more"))
		}
	}
	return errors.Join(errs...)
}
