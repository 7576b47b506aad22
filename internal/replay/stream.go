package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Stream answers the cases of in, one a line, each as soon as it is read. Lines may be of any length; empty ones are
// skipped. It ends with the input, or with the first error of in or of answered.
func Stream(in io.Reader, answered func(line []byte, a Answer) error) error {
	r := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")) // some editors put a byte order mark in front of a file
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := answered(line, Judge(line)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Write writes the answer as one line of JSON, at once.
func (a Answer) Write(out io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil {
		return err
	}
	_, err := out.Write(b.Bytes())
	return err
}
