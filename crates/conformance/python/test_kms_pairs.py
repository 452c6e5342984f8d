"""KMS key pairs and HMAC keys. What the server signs, encrypts and derives is checked with another library."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils

from bulla import error_code

MESSAGE = b"a message"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
DIGESTS = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def made(kms, spec, usage):
    """The id of a new key and its public key."""
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    answer = kms.get_public_key(KeyId=key["KeyId"])
    assert (answer["KeySpec"], answer["KeyUsage"], answer["KeyId"]) == (spec, usage, key["Arn"])
    return key["KeyId"], serialization.load_der_public_key(answer["PublicKey"])


def check(public, algorithm, signature):
    """Verifies with the other library; it raises when the signature is not one of the message."""
    bits = algorithm[-3:]
    if isinstance(public, rsa.RSAPublicKey):
        digest = HASHES[bits]
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        public.verify(signature, MESSAGE, pss if "PSS" in algorithm else padding.PKCS1v15(), digest)
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, MESSAGE, ec.ECDSA(HASHES[bits]))
    else:
        public.verify(signature, MESSAGE)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("RSA_2048", rsa.RSAPublicKey),
        ("ECC_NIST_P256", ec.EllipticCurvePublicKey),
        ("ECC_NIST_P384", ec.EllipticCurvePublicKey),
        ("ECC_NIST_P521", ec.EllipticCurvePublicKey),
        ("ECC_SECG_P256K1", ec.EllipticCurvePublicKey),
        ("ECC_NIST_EDWARDS25519", ed25519.Ed25519PublicKey),
        ("ML_DSA_44", mldsa.MLDSA44PublicKey),
        ("ML_DSA_65", mldsa.MLDSA65PublicKey),
        ("ML_DSA_87", mldsa.MLDSA87PublicKey),
    ],
)
def test_signatures_verify_outside(kms, spec, kind):
    key, public = made(kms, spec, "SIGN_VERIFY")
    assert isinstance(public, kind)
    for algorithm in kms.get_public_key(KeyId=key)["SigningAlgorithms"]:
        signature = kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
        check(public, algorithm, signature)
        assert kms.verify(KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm, Signature=signature)["SignatureValid"]
        changed = bytes([*signature[:-1], signature[-1] ^ 1])
        refused = error_code(kms.verify, KeyId=key, Message=MESSAGE, SigningAlgorithm=algorithm, Signature=changed)
        assert refused == "KMSInvalidSignatureException"


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P384"])
def test_digests_are_signed_as_their_messages(kms, spec):
    key, public = made(kms, spec, "SIGN_VERIFY")
    for algorithm in kms.get_public_key(KeyId=key)["SigningAlgorithms"]:
        digest = DIGESTS[algorithm[-3:]](MESSAGE).digest()
        signature = kms.sign(KeyId=key, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)["Signature"]
        check(public, algorithm, signature)


@pytest.mark.parametrize(("algorithm", "digest"), [("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256())])
def test_what_was_encrypted_outside_decrypts(kms, algorithm, digest):
    key, public = made(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    oaep = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    sealed = public.encrypt(b"secret", oaep)
    opened = kms.decrypt(KeyId=key, CiphertextBlob=sealed, EncryptionAlgorithm=algorithm)
    assert opened["Plaintext"] == b"secret"
    inside = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionAlgorithm=algorithm)["CiphertextBlob"]
    assert kms.decrypt(KeyId=key, CiphertextBlob=inside, EncryptionAlgorithm=algorithm)["Plaintext"] == b"secret"


@pytest.mark.parametrize(
    ("spec", "curve"), [("ECC_NIST_P256", ec.SECP256R1()), ("ECC_NIST_P384", ec.SECP384R1()), ("ECC_NIST_P521", ec.SECP521R1())]
)
def test_secrets_are_shared_with_a_key_outside(kms, spec, curve):
    key, public = made(kms, spec, "KEY_AGREEMENT")
    own = ec.generate_private_key(curve)
    der = own.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    answer = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=der)
    assert answer["SharedSecret"] == own.exchange(ec.ECDH(), public)


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519"])
def test_a_data_key_pair_works_outside(kms, spec):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    pair = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext={"a": "1"})
    private = serialization.load_der_private_key(pair["PrivateKeyPlaintext"], None)
    spki = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert private.public_key().public_bytes(*spki) == pair["PublicKey"]
    opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"], EncryptionContext={"a": "1"})
    assert opened["Plaintext"] == pair["PrivateKeyPlaintext"]
    sealed = kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec=spec)
    assert "PrivateKeyPlaintext" not in sealed


def test_message_authentication_codes_are_checked(kms):
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    assert key["MacAlgorithms"] == ["HMAC_SHA_256"]
    call = {"KeyId": key["KeyId"], "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(**call)["Mac"]
    assert kms.verify_mac(**call, Mac=mac)["MacValid"]
    other = hmac.digest(b"another key", MESSAGE, "sha256")
    assert error_code(kms.verify_mac, **call, Mac=other) == "KMSInvalidMacException"


def test_operations_that_are_not_built_say_so(kms):
    assert error_code(kms.describe_custom_key_stores) == "UnsupportedOperationException"


def test_other_keys_than_symmetric_ones_are_not_rotated(kms):
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    assert error_code(kms.enable_key_rotation, KeyId=key) == "UnsupportedOperationException"
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
