// Package chat is conversations with a model: the templates that make a prompt of
// one, a conversation in the terminal, and the file that keeps what users think of
// answers. Package serve uses it over HTTP.
package chat
