"""How allauth works here: nobody signs up by themselves, and its secrets are sealed."""

from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.http import HttpRequest
from qrcode.image.svg import SvgPathFillImage

from authz.access.models import Person
from authz.access.people.selectors import may_remove
from authz.access.source import source_of
from authz.sealing import opened, seal


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """People are invited; where a request comes from is asked where everybody else asks."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return source_of(request.META) or "::"

    def reauthenticate(self, user: Any, password: str) -> bool:
        return bool(user.check_password(password))


class SingleSignOn(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Lets in whoever was invited under an address that the identity provider has verified."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Connect the identity with the person of its verified address, when it comes for the first time."""
        if sociallogin.is_existing:
            return
        verified = [address.email.lower() for address in sociallogin.email_addresses if address.verified]
        person = Person.objects.filter(email__in=verified, is_active=True).first()
        if person is not None:
            sociallogin.connect(request, person)


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Seals the secrets of authenticator apps, and keeps who needs a second factor from removing the last one."""

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return opened(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        # On white, or nothing could read it from a dark page.
        return str(qrcode.make(url, image_factory=SvgPathFillImage).to_string(encoding="unicode"))

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return may_remove(authenticator)
