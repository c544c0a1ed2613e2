"""What leaves no bundle: secrets by their values and by their forms; and what stays readable."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.evidence.redaction import REMOVED, Redactor

PASSWORD = "9f1c0de5a7b3"
JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ing.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJl-_x"
PRIVATE = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\nabc=\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("K3S_TOKEN=K10aaaabbbbccccddddeeee::server:0123456789abcdef", "0123456789abcdef"),
        ("the token K10aaaabbbbccccddddeeee::node:worker-1:0123 was refused", "aaaabbbb"),
        ("kubeadm join --token abcdef.0123456789abcdef 10.0.0.1", "abcdef.0123456789abcdef"),
        ("discovery: abcdef.0123456789abcdef", "0123456789abcdef"),
        (f"Authorization: Bearer {JWT}", "c2lnbmF0dXJl"),
        ("authorization: Basic YWxpY2U6aHVudGVyMg==", "YWxpY2U6"),
        ('{"Authorization": "hunter2hunter2"}', "hunter2"),
        (f"client sent {JWT} and left", "eyJpc3Mi"),
        (f"key:\n{PRIVATE}\nend", "MHcCAQEEIB"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk", "b3BlbnNzaC1rZXk"),
        ("    client-key-data: TUhjQ0FRRUVJ", "TUhjQ0FRRUVJ"),
        ('{"rootPassword": "hunter2 is mine", "port": 3306}', "hunter2"),
        ("MYSQL_ROOT_PASSWORD='hunter2'", "hunter2"),
        ("password = hunter2", "hunter2"),
        ("HTTPS_PROXY=http://alice:hunter2@proxy.example:3128", "hunter2"),
        ("--certificate-key 0123456789abcdef0123", "0123456789abcdef0123"),
        ("mysql --password hunter2 -h db", "hunter2"),
        ("secret-key: hunter2, next: 1", "hunter2"),
        ('"auth_token":"hunter2"', "hunter2"),
    ],
)
def test_secrets_are_told_by_their_form(text, secret):
    cleaned = Redactor().clean(text)
    assert secret not in cleaned
    assert REMOVED in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "tokens: none are left",
        "kube-apiserver --authorization-mode=Node,RBAC",
        "Reached target basic.target - Basic System.",
        "token:\n  name: x",
        "/registry/events/grid/pdc-higher.187bd5c0e3a5f2d1",
        "automountServiceAccountToken: false",
        "secretName: /etc/blackstart/x",
        "token-file: /var/lib/rancher/k3s/server/token",
        "default   configmap/kube-root-ca.crt   1      5m",
        "Nov 27 07:00:01 server-1 systemd[1]: Started kubelet.service.",
        "https://10.87.0.11:6443/readyz",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "image: registry.example/mysql:8.4.3",
    ],
)
def test_the_rest_stays_as_it_is(text):
    assert Redactor().clean(text) == text


@given(st.text(), st.text())
def test_a_known_value_goes_from_wherever_it_stands(before, after):
    cleaned = Redactor([PASSWORD]).clean(f"{before}{PASSWORD}{after}")
    assert PASSWORD not in cleaned
    encoded = base64.b64encode(PASSWORD.encode()).decode()
    assert encoded not in Redactor([PASSWORD]).clean(f"{before} {encoded} {after}")


def test_short_values_are_words():
    assert Redactor(["root", "grid"]).clean("grid root") == "grid root"


def test_a_value_that_begins_another_leaves_nothing_of_it():
    cleaned = Redactor(["0123456789", "0123456789abcdef"]).clean("x 0123456789abcdef x")
    assert cleaned == f"x {REMOVED} x"


@given(st.text(max_size=400))
def test_whatever_is_cleaned_twice_stays(text):
    once = Redactor([PASSWORD]).clean(text)
    assert Redactor([PASSWORD]).clean(once) == once
