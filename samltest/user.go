package samltest

import "strings"

// User is somebody who can sign in at [IdP.Handler], and whom an [Answer] can be about.
type User struct {
	Name       string // what one types, and the NameID
	Password   string
	FirstName  string
	LastName   string
	Email      string
	NameFormat string      // format of the NameID; empty: FormatPersistent
	Groups     []string    // written by a [Personality] that has a place for them
	Attributes []Attribute // beside firstname, lastname and email
}

// demoUsers are alice, whom everything can read, and bob, whose names test the escaping of every page that shows them.
func demoUsers() []User {
	return []User{
		{Name: "alice", Password: "password", FirstName: "Alice", LastName: "Smith", Email: "alice@example.com", Groups: []string{"staff", "administrators"}},
		{Name: "bob", Password: "password", FirstName: `Bob "Bobby" & Co`, LastName: "O'Søren <b>", Email: "bob@example.com", Groups: []string{"staff"}},
	}
}

func (u User) nameID() *NameID {
	format := u.NameFormat
	if format == "" {
		format = FormatPersistent
	}
	return &NameID{Value: u.Name, Format: format}
}

func (u User) fullName() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

func (u User) attributes() []Attribute {
	list := []Attribute{}
	for _, a := range []Attribute{Attr("firstname", u.FirstName), Attr("lastname", u.LastName), Attr("email", u.Email)} {
		if a.Values[0].Text != "" {
			list = append(list, a)
		}
	}
	return append(list, u.Attributes...)
}
