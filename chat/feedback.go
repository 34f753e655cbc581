package chat

import (
	"sync"
	"time"

	"tinygpt/data/instruct"
	"tinygpt/internal/atomicfile"
)

// Feedback appends what users think of answers to a file of JSON lines, in the format that
// reward and preference training read. Its method may be called concurrently, and several
// processes may have one for the same file.
type Feedback struct {
	Path string
	mu   sync.Mutex
}

// Add sets the record's time, appends it as a line, and returns when it is on the disk. A record
// that can't be trained on is an error.
func (l *Feedback) Add(record instruct.Record) error {
	if _, err := record.Example(); err != nil {
		return err
	}
	record.Time = time.Now().UTC().Format(time.RFC3339)
	l.mu.Lock()
	defer l.mu.Unlock()
	return atomicfile.AddLine(l.Path, record)
}

// FeedbackFile is the name of the file of feedback in a run's folder.
const FeedbackFile = "feedback.jsonl"
