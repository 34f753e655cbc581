// Package data turns texts into batches: it reads corpora, splits them, makes
// token streams with the help of an encoder, and cuts streams into the windows
// that training and evaluation see. It knows nothing of models.
package data
