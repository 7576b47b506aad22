package saml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// UnmarshalJSON reads what json.Marshal writes, and nothing else: a field that is not known refuses, since it may be a
// demand on the trust that was misspelt, or that a newer version wrote and this one would drop; and so does one that is there
// twice or in other letters, since whoever else reads the text may take the other. What the text does not mention is zero,
// whatever t held before.
func (t *LoginTrust) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil // as encoding/json wants it
	}
	type plain LoginTrust // without this method
	var read plain
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&read)
	if err == nil {
		err = checkKeys(json.NewDecoder(bytes.NewReader(text)))
	}
	if err != nil {
		return fmt.Errorf("saml: login trust: %w", err)
	}
	*t = LoginTrust(read)
	return nil
}

// checkKeys refuses a value in which an object has a key twice, or one that is no field letter for letter: encoding/json would
// take the last, and any case. That each object has but fields of its own was checked before.
func checkKeys(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delimiter, composed := token.(json.Delim)
	if !composed {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if delimiter == '{' {
			key, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			switch {
			case !trustFields()[name]:
				return fmt.Errorf("unknown field %q", name)
			case seen[name]:
				return fmt.Errorf("the field %q is there twice", name)
			}
			seen[name] = true
		}
		if err := checkKeys(d); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing one
	return err
}

// trustFields are the names of all fields of a LoginTrust, and of what is in it.
var trustFields = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	addFields(names, reflect.TypeFor[LoginTrust]())
	return names
})

func addFields(names map[string]bool, t reflect.Type) {
	switch t.Kind() {
	case reflect.Slice, reflect.Array, reflect.Pointer:
		addFields(names, t.Elem())
	case reflect.Struct:
		for field := range t.Fields() {
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); field.IsExported() && name != "" {
				names[name] = true
				addFields(names, field.Type)
			}
		}
	}
}
