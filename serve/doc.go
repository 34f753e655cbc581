// Package serve answers HTTP requests with the texts of one or several models, in
// the shapes of OpenAI's API, and shows a page to chat with them.
//
// Each model has an engine, which owns the model's decoder and draws the texts of all requests
// together: they wait in a bounded queue, join the batch at any token, and leave it when they
// end or their client goes away. A text doesn't depend on what else is drawn: the same request
// with the same seed gives the same bytes.
package serve
