<?php
$config = ['admin' => ['core:AdminPassword'], 'users' => ['exampleauth:UserPass']];
foreach (json_decode(file_get_contents(__DIR__ . '/../users.json'), true) as $u) {
    $config['users'][$u['username'] . ':' . $u['password']] = [
        'uid' => [$u['username']], 'givenName' => [$u['firstname']], 'sn' => [$u['lastname']],
        'mail' => [$u['email']], 'eduPersonAffiliation' => $u['groups'],
    ];
}
