// Package advice knows the world around a refused login: which products write which messages, what each reason means, who
// can mend it, and where in the product that is done. Nothing here decides anything; it is read by people.
package advice
