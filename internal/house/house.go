// Package house has no code of its own: its tests check what a reader of the project
// relies on, such as which package may import which, and that comments name what they
// document.
package house
