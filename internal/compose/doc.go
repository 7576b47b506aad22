// Package compose builds the XML that we send, with etree, and signs it, with goxmldsig: small documents of our own
// making. Nothing received is ever read here.
package compose
