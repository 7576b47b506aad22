package saml

import "slices"

// A User is a user of the application, as its UserDirectory knows him.
type User struct {
	// ID is the application's own, unique and never given to another user.
	ID string `json:"id"`
	// Username is compared octet for octet with what an identity provider asserts; it need only be unique inside an
	// organization.
	Username     string `json:"username"`
	Organization string `json:"organization,omitempty"`
	Email        string `json:"email,omitempty"`
	FirstName    string `json:"firstName,omitempty"`
	LastName     string `json:"lastName,omitempty"`
	Department   string `json:"department,omitempty"`
	// Type is the application's own word for the kind of user. No login asks for it.
	Type string `json:"type,omitempty"`
	// Roles are the application's own. Who has none does not get in.
	Roles []string `json:"roles,omitempty"`
	// AccountKeys are the subjects that stand for this user: those of Subject.AccountKey, such as the one that he was created
	// for. A user who has any is found by them alone, no longer by a name or address, which may be given to somebody else.
	AccountKeys []string `json:"accountKeys,omitempty"`
	// State says whether the user may log in at all. The zero value admits nobody.
	State UserState `json:"state"`
	// SSODisabled marks a user who logs in with his password and by no identity provider, such as the administrator who
	// comes in while single sign-on is broken.
	SSODisabled bool `json:"ssoDisabled,omitempty"`
	// Privileged marks a user, such as an administrator of all organizations, who comes in only by a trust that lists him in
	// LoginTrust.PrivilegedUsers.
	Privileged bool `json:"privileged,omitempty"`
}

// clone shares no memory with u.
func (u User) clone() User {
	u.Roles, u.AccountKeys = slices.Clone(u.Roles), slices.Clone(u.AccountKeys)
	return u
}

// A UserState says whether a user may log in.
type UserState int

// States of a user. The zero value is none of them and admits nobody.
const (
	// UserActive may log in.
	UserActive UserState = iota + 1
	// UserLoginDisabled may not, but LoginTrust.ReactivateUsers lets an identity provider change that.
	UserLoginDisabled
	// UserDeleted, UserLocked and UserExpired may not, and no login changes it.
	UserDeleted
	UserLocked
	UserExpired
)

var userStates = wordList{"unknown", "active", "login disabled", "deleted", "locked", "expired"}

// String gives the word that MarshalText writes.
func (s UserState) String() string { return userStates.word(int(s)) }

// MarshalText writes active, login disabled, deleted, locked or expired.
func (s UserState) MarshalText() ([]byte, error) { return userStates.marshal("user state", int(s)) }

// UnmarshalText reads what MarshalText writes.
func (s *UserState) UnmarshalText(text []byte) error {
	i, err := userStates.unmarshal("user state", text)
	if err == nil {
		*s = UserState(i)
	}
	return err
}

// A NewUser is a user whom a login creates: active, with exactly these properties.
type NewUser struct {
	Username     string
	Organization string
	Email        string // "" if the identity provider asserts none
	FirstName    string
	LastName     string
	Department   string
	Role         string // the only one
	// AccountKey is the first of User.AccountKeys. "" if the subject has no lasting identifier: the user then stays one who
	// is found by name.
	AccountKey string
}

// user is the user that the directory is to make.
func (n NewUser) user() User {
	u := User{Username: n.Username, Organization: n.Organization, Email: n.Email, FirstName: n.FirstName, LastName: n.LastName,
		Department: n.Department, Roles: []string{n.Role}, State: UserActive}
	if n.AccountKey != "" {
		u.AccountKeys = []string{n.AccountKey}
	}
	return u
}
