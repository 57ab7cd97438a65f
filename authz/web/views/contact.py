"""How an insurer is reached, for its administrator to say."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Action, must_be_allowed
from authz.administration.services.contact import set_contact
from authz.errors import InvalidInput
from authz.web.contact_form import ContactForm
from authz.web.pages import Page


class ContactPage(Page):
    """One form; while there is no contact, the page says that letters lack it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.CHANGE_CONTACT)
        return self._page(ContactForm(self.organization.contact))

    def post(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.CHANGE_CONTACT)
        form = ContactForm(self.organization.contact, request.POST)
        if not form.is_valid():
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            set_contact(contact=form.contact(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.success(request, "Letters say this from now on.")
        return redirect("contact")

    def _page(self, form: ContactForm, *, status: int = 200) -> HttpResponse:
        return self.show("pages/contact.html", status=status, form=form, faults=list(form.faults()))
