"""PURE: what is kept of a token or a secret of ours."""

from hashlib import sha256


def sha256_of(secret: str) -> str:
    """Return the hash that is kept. Our secrets are too long to be guessed, so it needs no salt."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
