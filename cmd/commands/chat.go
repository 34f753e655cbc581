package commands

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"tinygpt/chat"
	"tinygpt/internal/terminal"
	"tinygpt/internal/userfile"
	"tinygpt/run"
)

func chatCommand() *cli.Command {
	flags := append([]cli.Flag{runFlag(), checkpointFlag()}, optionFlags("an answer")...)
	return &cli.Command{
		Name:        "chat",
		Usage:       "talk with a trained model in the terminal",
		Description: "Lines of standard input are messages, or commands that begin with /: /help lists them.",
		Flags: append(flags,
			&cli.Uint64Flag{Name: "seed", Usage: "of the first answer; the next ones have the next seeds", Value: 1},
			weightsFlag(" (see eval)"),
			&cli.StringFlag{Name: "feedback", Usage: "append what you think of answers to `FILE`", DefaultText: "feedback.jsonl in the run's folder"},
		),
		Action: chatAction,
	}
}

// templateOf returns a run's template of conversations, and says so if the one that it came
// with can't be used.
func templateOf(stderr io.Writer, r *run.Run) chat.Template {
	template, err := chat.TemplateOf(r.Tokenizer)
	if err != nil {
		fmt.Fprintf(stderr, "%s: its chat template can't be used: %v; conversations are written as plain dialogues\n", r.Dir, err)
	}
	return template
}

// feedbackOf returns where feedback on the answers of the run in the folder dir is kept: in the
// file path, or if that is "" in the folder.
func feedbackOf(dir, path string) (*chat.Feedback, error) {
	if path != "" {
		return &chat.Feedback{Path: path}, nil
	}
	return &chat.Feedback{Path: filepath.Join(dir, chat.FeedbackFile)}, userfile.CheckWritten(dir, chat.FeedbackFile)
}

// maxAnswers is how many answers can be asked for at a time.
const maxAnswers = 8

func chatAction(c *cli.Context) error {
	if c.String("run") == "" {
		dir, err := run.LatestToTalk(run.Root)
		if err != nil {
			return err
		}
		if err := c.Set("run", dir); err != nil {
			return err
		}
	}
	r, precision, err := openRun(c)
	if err != nil {
		return err
	}
	if err := writes(r); err != nil {
		return err
	}
	options := r.Config.Sample
	if err := setOptions(c, &options); err != nil {
		return usageError{err}
	}
	weights, err := trainedWeights(c, r, precision)
	if err != nil {
		return err
	}
	feedback, err := feedbackOf(r.Dir, c.String("feedback"))
	if err != nil {
		return err
	}
	s := &chat.Session{
		Decoder: weights.NewDecoder(maxAnswers), Tokenizer: r.Tokenizer, Template: templateOf(c.App.ErrWriter, r),
		Options: options, Seed: c.Uint64("seed"), Model: filepath.Base(r.Dir), Feedback: feedback, Out: terminal.Wrap(c.App.Writer),
	}
	if !terminal.Is(c.App.Reader) || !terminal.Is(c.App.Writer) {
		lines := bufio.NewReader(c.App.Reader)
		return s.Run(c.Context, func() (string, error) { return lines.ReadString('\n') })
	}
	s.Interrupted = untilInterrupt
	read, end := editLines(chat.Commands())
	defer end()
	return s.Run(c.Context, read)
}

// untilInterrupt returns a context that ends at Ctrl-C.
func untilInterrupt(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt)
}
