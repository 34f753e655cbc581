// Package chat has conversations with a model: templates that turn a conversation into a
// prompt, a session in the terminal, and the file that keeps what users think of answers.
// Package serve uses it over HTTP.
package chat
