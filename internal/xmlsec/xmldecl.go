package xmlsec

import "bytes"

// xmlDeclaration reads <?xml …?> if it is there (XML 1.0, 2.8). Only version 1.0 and UTF-8 are read.
func (r *Reader) xmlDeclaration(pos int) (next int, err error) {
	rest := r.doc.src[pos:]
	if !bytes.HasPrefix(rest, []byte("<?xml")) || len(rest) < 6 || !isSpace(rest[5]) {
		return pos, nil
	}
	end := bytes.Index(rest, []byte("?>"))
	if end < 0 {
		return 0, r.fail(pos, "an XML declaration that does not end")
	}
	decl := rest[5:end]
	wanted := []string{"version", "encoding", "standalone"}
	for {
		trimmed := bytes.TrimLeft(decl, " \t\r\n")
		if len(trimmed) == 0 {
			break
		}
		if len(trimmed) == len(decl) {
			return 0, r.fail(pos, "not an XML declaration")
		}
		name, value, rest, ok := pseudoAttribute(trimmed)
		if !ok {
			return 0, r.fail(pos, "not an XML declaration")
		}
		for len(wanted) > 0 && wanted[0] != name && wanted[0] != "version" {
			wanted = wanted[1:]
		}
		if len(wanted) == 0 || wanted[0] != name {
			return 0, r.fail(pos, "not an XML declaration")
		}
		wanted = wanted[1:]
		switch name {
		case "version":
			ok = value == "1.0"
		case "encoding":
			ok = bytes.EqualFold([]byte(value), []byte("UTF-8"))
		case "standalone":
			ok = value == "yes" || value == "no"
		}
		if !ok {
			return 0, r.fail(pos, "an XML declaration of another version or encoding than 1.0 and UTF-8")
		}
		decl = rest
	}
	if len(wanted) == 3 {
		return 0, r.fail(pos, "an XML declaration without version")
	}
	return pos + end + 2, nil
}

// pseudoAttribute cuts name = "value" off the front of b.
func pseudoAttribute(b []byte) (name, value string, rest []byte, ok bool) {
	n := ncName(b)
	rest = bytes.TrimLeft(b[n:], " \t\r\n")
	if n == 0 || len(rest) == 0 || rest[0] != '=' {
		return "", "", nil, false
	}
	name = string(b[:n])
	rest = bytes.TrimLeft(rest[1:], " \t\r\n")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return "", "", nil, false
	}
	end := bytes.IndexByte(rest[1:], rest[0])
	if end < 0 {
		return "", "", nil, false
	}
	return name, string(rest[1 : 1+end]), rest[end+2:], true
}
