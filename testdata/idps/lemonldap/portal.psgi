# LemonLDAP::NG's own portal as a PSGI program; only where it finds its ini file and its demo users is set here.
use strict; use JSON; use Plack::Builder;
BEGIN {
    require Lemonldap::NG::Common::Conf::Constants;
    no warnings; no strict 'refs';
    my $ini = $ENV{IDP_RUN} . '/lemonldap-ng.ini';
    undef &Lemonldap::NG::Common::Conf::Constants::DEFAULTCONFFILE;
    *Lemonldap::NG::Common::Conf::Constants::DEFAULTCONFFILE = sub () { $ini };
}
# no captcha here: the stock module would need ImageMagick
package Lemonldap::NG::Portal::Captcha::None { BEGIN { $INC{'Lemonldap/NG/Portal/Captcha/None.pm'} = 1 }
    use Mouse; extends 'Lemonldap::NG::Portal::Main::Plugin'; sub init { 1 } }
use Lemonldap::NG::Portal::Main; use Lemonldap::NG::Portal::UserDB::Demo; use Lemonldap::NG::Portal::Auth::Demo;
open my $f, '<', $ENV{IDP_USERS} or die $!; my $users = decode_json(do { local $/; <$f> }); close $f;
my %pw;
%Lemonldap::NG::Portal::UserDB::Demo::demoAccounts = ();
%Lemonldap::NG::Portal::UserDB::Demo::demoGroups   = ();
for my $u (@$users) {
    my %v = map { my $x = $u->{$_}; utf8::encode($x); ($_ => $x) } qw(username firstname lastname email);
    $pw{$v{username}} = $u->{password};
    $Lemonldap::NG::Portal::UserDB::Demo::demoAccounts{$v{username}} = { uid => $v{username}, mail => $v{email},
        cn => "$v{firstname} $v{lastname}", sn => $v{lastname}, givenName => $v{firstname}, labGroups => join('; ', @{ $u->{groups} }) };
    push @{ $Lemonldap::NG::Portal::UserDB::Demo::demoGroups{$_} }, $v{username} for @{ $u->{groups} };
}
{
    no warnings 'redefine';
    *Lemonldap::NG::Portal::Auth::Demo::authenticate = sub {
        my ( $self, $req ) = @_;
        return ( defined $pw{ $req->{user} } and $pw{ $req->{user} } eq $req->data->{password} ) ? 0 : 5;   # PE_OK : PE_BADCREDENTIALS
    };
}
my $app = Lemonldap::NG::Portal::Main->run( {} );
builder { mount '/static' => sub { [ 404, [], [] ] }; mount '/' => $app };
