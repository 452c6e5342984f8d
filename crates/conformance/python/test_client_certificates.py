"""Mutual TLS: who has no certificate of the operator's authority does not get as far as a request."""

import datetime
import socket
import ssl
import urllib.error
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
GET = b"GET /_bulla/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self.builder(self.subject, self.key).add_extension(x509.BasicConstraints(True, None), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.pem = folder / f"{name}.pem"
        certificate = builder.add_extension(usage, critical=True).sign(self.key, hashes.SHA256())
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def builder(self, subject, key):
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
        )

    def client(self, name):
        """A client's certificate and key in one file, and its serial number."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self.builder(subject, key)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = builder.add_extension(usage, critical=False).sign(self.key, hashes.SHA256())
        path = self.folder / f"{name}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        return path, certificate.serial_number

    def revoke(self, serial):
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).build()
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.subject).last_update(NOW - DAY)
        builder = builder.next_update(NOW + DAY).add_revoked_certificate(one)
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        path = self.folder / "revoked.pem"
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path


def get(server, certificate=None) -> bytes:
    """What is answered; nothing when the server ends the connection."""
    context = ssl.create_default_context(cafile=str(server.ca))
    if certificate:
        context.load_cert_chain(certificate)
    at = urllib.parse.urlsplit(server.https)
    try:
        with socket.create_connection((at.hostname, at.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.sendall(GET)
                return secure.recv(64)
    except (ssl.SSLError, ConnectionError):
        return b""


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


def test_only_a_client_with_a_certificate_of_the_authority_is_served(fresh, authority, tmp_path):
    server = fresh("--tls-client-ca", str(authority.pem))
    known, _ = authority.client("known")
    foreign, _ = Authority(tmp_path, "other").client("foreign")
    assert get(server, known).startswith(b"HTTP/1.1 200")
    assert get(server, foreign) == b""
    assert get(server) == b""


def test_nothing_is_answered_in_the_clear_when_clients_need_certificates(fresh, authority):
    server = fresh("--tls-client-ca", str(authority.pem))
    at = urllib.parse.urlsplit(server.http)
    with socket.create_connection((at.hostname, at.port), timeout=10) as plain:
        plain.sendall(GET)
        assert plain.recv(64).startswith(b"HTTP/1.1 403")


def test_a_revoked_certificate_is_refused(fresh, authority):
    known, _ = authority.client("known")
    lost, serial = authority.client("lost")
    server = fresh("--tls-client-ca", str(authority.pem), "--tls-client-crl", str(authority.revoke(serial)))
    assert get(server, known).startswith(b"HTTP/1.1 200")
    assert get(server, lost) == b""
