package instruct

import (
	"errors"
	"fmt"
)

// Role is who says a message.
type Role string

// The roles of a conversation.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn of a conversation.
type Message struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
}

// CheckPrompt says what is wrong with a conversation that waits for an answer: it may
// begin with a system text, then user and assistant take turns, and the user has the
// last word.
func CheckPrompt(messages []Message) error {
	if len(messages) == 0 {
		return errors.New("messages are empty: expected one of the user at least")
	}
	wants := User
	for i, m := range messages {
		switch {
		case i == 0 && m.Role == System:
		case m.Role != System && m.Role != User && m.Role != Assistant:
			return fmt.Errorf("message %d has role %q: expected system, user or assistant", i+1, m.Role)
		case m.Role != wants:
			return fmt.Errorf("message %d is the %s's: expected the %s's, since they take turns", i+1, m.Role, wants)
		case wants == User:
			wants = Assistant
		default:
			wants = User
		}
	}
	if last := messages[len(messages)-1]; last.Role != User {
		return fmt.Errorf("the last message is the %s's: expected the user's, which waits for an answer", last.Role)
	}
	return nil
}

// say returns the messages with one more.
func say(messages []Message, role Role, content string) []Message {
	return append(messages[:len(messages):len(messages)], Message{role, content})
}
