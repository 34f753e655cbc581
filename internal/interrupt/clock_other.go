//go:build !unix

package interrupt

// watchStops does nothing: processes aren't stopped here.
func watchStops() {}
