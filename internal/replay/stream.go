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
func Stream(in io.Reader, open func(line []byte) ([]byte, error), answered func(line []byte, a Answer) error) error {
	r := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")) // some editors put a byte order mark in front of a file
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := answered(judgeOpened(line, open)); err != nil {
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

// judgeOpened judges a line after open, if there is one, has opened it.
func judgeOpened(line []byte, open func([]byte) ([]byte, error)) ([]byte, Answer) {
	if open != nil {
		opened, err := open(line)
		if err != nil {
			return line, Answer{Verdict: Error, Detail: err.Error()}
		}
		line = opened
	}
	return line, Judge(line)
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
