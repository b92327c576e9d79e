"""How first passwords of an import are stored. See docs/decisions/0011-first-passwords-of-an-import.md."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.utils.crypto import pbkdf2


class FirstPasswordHasher(PBKDF2PasswordHasher):
    """For passwords that `core.accounts.new_password` made, and for no other: 58 random bits need no slow hash.

    The work factor of a chosen password would keep an import of 12,000 people busy for an hour. At the first sign-in
    Django stores the password anew with the ordinary hasher, because this one has another name.
    """

    algorithm = "first_pbkdf2_sha256"
    iterations = 10_000

    def verify(self, password: str, encoded: str) -> bool:
        right = super().verify(password, encoded)
        if not right:
            # As slow as an ordinary hash: nobody outside shall learn who has never signed in. (A right password is
            # hashed the ordinary way in a moment.)
            found = self.decode(encoded)
            rest = PBKDF2PasswordHasher.iterations - int(found["iterations"])
            pbkdf2(password, str(found["salt"]), max(rest, 1), digest=self.digest)
        return right
