package serve

import (
	"encoding/json"
	"fmt"
	"strings"

	"tinygpt/chat"
	"tinygpt/data/instruct"
)

// messagesOf reads the messages of a request.
func messagesOf(f *fields) (messages []chat.Message) {
	var list []json.RawMessage
	if !f.has("messages") {
		f.fail(invalid("messages", "messages is missing: expected a list of one or more messages"))
		return nil
	}
	f.get("messages", "a list of messages", &list)
	if f.err == nil && len(list) == 0 {
		f.fail(invalid("messages", "messages is empty: expected one or more messages"))
	}
	for i, raw := range list {
		m, ignored, err := messageOf(raw, fmt.Sprintf("messages[%d]", i))
		if err != nil {
			f.fail(err)
			return nil
		}
		f.ignored = append(f.ignored, ignored...)
		messages = append(messages, m)
	}
	return messages
}

// messageOf reads one message; where is its place in the request, for errors. ignored lists
// its members that mean nothing to this server, like a name.
func messageOf(text json.RawMessage, where string) (m chat.Message, ignored []string, err *apiError) {
	members := &fields{read: map[string]bool{}}
	if json.Unmarshal(text, &members.raw) != nil || members.raw == nil {
		return m, nil, invalid(where, "%s: expected an object with role and content, found %s", where, raw(text))
	}
	for name, v := range members.raw {
		if string(v) == "null" {
			delete(members.raw, name)
		}
	}
	switch role := members.text("role", ""); role {
	case "system", "developer":
		m.Role = instruct.System
	case "user":
		m.Role = instruct.User
	case "assistant":
		m.Role = instruct.Assistant
	default:
		return m, nil, invalid(where+".role", "%s.role is %q: expected developer, system, user or assistant", where, role)
	}
	for _, name := range []string{"tool_calls", "function_call", "audio", "tool_call_id"} {
		if members.has(name) {
			return m, nil, unsupported(where+"."+name, "%s.%s is not supported by this server", where, name)
		}
	}
	content, ok := members.raw["content"]
	members.read["content"] = true
	for _, name := range members.unknown() {
		ignored = append(ignored, where+"."+name)
	}
	switch {
	case !ok:
		return m, nil, invalid(where+".content", "%s.content is missing: expected a text", where)
	case content[0] == '"':
		_ = json.Unmarshal(content, &m.Content)
		return m, ignored, nil
	}
	var parts []map[string]json.RawMessage
	if json.Unmarshal(content, &parts) != nil {
		return m, nil, invalid(where+".content", "%s.content: expected a text or a list of parts, found %s", where, raw(content))
	}
	var whole strings.Builder
	for i, part := range parts {
		at := fmt.Sprintf("%s.content[%d]", where, i)
		var kind, text string
		_ = json.Unmarshal(part["type"], &kind)
		if kind != "text" {
			return m, nil, unsupported(at, "%s has the type %q: this server takes text only", at, kind)
		}
		if json.Unmarshal(part["text"], &text) != nil || part["text"] == nil {
			return m, nil, invalid(at+".text", "%s.text: expected a text", at)
		}
		whole.WriteString(text)
	}
	m.Content = whole.String()
	return m, ignored, nil
}

// render turns messages into the tokens of a prompt. Its errors go to f.
func (m *Model) render(f *fields, messages []chat.Message) []int32 {
	if m.Template == nil {
		f.fail(invalid("model", "the model %q has no template for conversations: use /v1/completions", m.Name))
		return nil
	}
	ids, err := m.Template.Render(messages)
	if err != nil {
		f.fail(invalid("messages", "%v", err))
	}
	return ids
}
