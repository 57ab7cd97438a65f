"""PURE: who may do what. Roles, actions and the one table between them; no queries, no clock."""

from dataclasses import dataclass
from enum import StrEnum

from authz.errors import Forbidden


class OrganizationKind(StrEnum):
    CLINIC = "clinic"
    INSURER = "insurer"


class Role(StrEnum):
    """What a person or an API client is allowed to be inside one organization. SYSTEM is never given to anyone."""

    STAFF = "staff"
    PRESCRIBER = "prescriber"
    CLINIC_ADMIN = "clinic_admin"
    INTAKE = "intake"
    REVIEWER = "reviewer"
    PHYSICIAN = "physician"
    APPEAL_REVIEWER = "appeal_reviewer"
    INSURER_ADMIN = "insurer_admin"
    SYSTEM = "system"


class Profession(StrEnum):
    """What a licence licenses its holder to be."""

    PHYSICIAN = "physician"
    PHARMACIST = "pharmacist"
    NURSE = "nurse"


DENYING = frozenset({Profession.PHYSICIAN, Profession.PHARMACIST})
"""Professions that may decide against what was asked at all; a regime may ask for a physician."""

CLINIC_ROLES = frozenset({Role.STAFF, Role.PRESCRIBER, Role.CLINIC_ADMIN})
INSURER_ROLES = frozenset({Role.INTAKE, Role.REVIEWER, Role.PHYSICIAN, Role.APPEAL_REVIEWER, Role.INSURER_ADMIN})


NEEDING_SECOND_FACTOR = frozenset(
    {
        Role.PRESCRIBER,
        Role.CLINIC_ADMIN,
        Role.REVIEWER,
        Role.PHYSICIAN,
        Role.APPEAL_REVIEWER,
        Role.INSURER_ADMIN,
    }
)
"""Roles that decide, administer or attest."""


class Action(StrEnum):
    """What an actor can ask for outside a request's own life (the steps of that are in prior_auths.lifecycle)."""

    READ_PATIENTS = "read patients"
    RECORD_PATIENT = "record a patient"
    RECORD_COVERAGE = "record a coverage"
    RECORD_PRESCRIBER = "record a prescriber"
    RECORD_PRESCRIPTION = "record a prescription"
    RECORD_FILL = "record a fill"
    RECORD_EXEMPTION = "record an exemption"
    RECORD_PAIN_SCORE = "record a pain score"
    RECORD_SURGERY = "record a surgery"
    READ_PAIN_SIGNAL = "read the pain signal"
    READ_CLINIC_SETTINGS = "read a clinic's settings"
    CHANGE_CLINIC_SETTINGS = "change a clinic's settings"
    READ_CONTACT = "read how an insurer is reached"
    CHANGE_CONTACT = "change how an insurer is reached"
    MANAGE_LICENCES = "manage licences"
    IMPORT_FILE = "import a file"
    READ_REQUESTS = "read prior authorizations"
    READ_QUEUE = "read the review queue"
    READ_A_SECOND_TIME = "read an approval by rule a second time"
    READ_POLICIES = "read policies"
    DECIDE_POLICIES = "decide on policies"
    READ_METRICS = "read metrics"
    READ_PRODUCTIVITY = "read a clinic's productivity"
    READ_MESSAGE_BURDEN = "read how many messages people get"
    MANAGE_WEBHOOKS = "manage webhooks"
    MANAGE_CLIENTS = "manage API clients"
    MANAGE_PEOPLE = "invite people"
    OPEN_IN_EMERGENCY = "open a record in an emergency"
    READ_EMERGENCIES = "read which records were opened in an emergency"
    READ_AUDIT = "read the audit trail"
    ACCOUNT_FOR_DISCLOSURES = "account for disclosures"


_CLINIC = frozenset({Role.STAFF, Role.PRESCRIBER})
_ADMINISTRATORS = frozenset({Role.CLINIC_ADMIN, Role.INSURER_ADMIN})
ALLOWED: dict[Action, frozenset[Role]] = {
    Action.READ_PATIENTS: CLINIC_ROLES | INSURER_ROLES,
    Action.RECORD_PATIENT: _CLINIC | {Role.INTAKE},
    Action.RECORD_COVERAGE: _CLINIC | {Role.INTAKE},
    Action.RECORD_PRESCRIBER: _CLINIC | {Role.CLINIC_ADMIN},
    Action.RECORD_PRESCRIPTION: _CLINIC,
    Action.RECORD_FILL: _CLINIC | {Role.INTAKE},
    Action.RECORD_EXEMPTION: _CLINIC,
    Action.RECORD_PAIN_SCORE: _CLINIC,
    Action.RECORD_SURGERY: _CLINIC,
    Action.READ_PAIN_SIGNAL: frozenset({Role.PRESCRIBER}),
    Action.READ_CLINIC_SETTINGS: CLINIC_ROLES,
    Action.CHANGE_CLINIC_SETTINGS: frozenset({Role.CLINIC_ADMIN}),
    Action.READ_CONTACT: INSURER_ROLES,
    Action.CHANGE_CONTACT: frozenset({Role.INSURER_ADMIN}),
    Action.MANAGE_LICENCES: frozenset({Role.INSURER_ADMIN}),
    Action.IMPORT_FILE: _CLINIC | {Role.INTAKE},
    Action.READ_REQUESTS: CLINIC_ROLES | INSURER_ROLES,
    Action.READ_QUEUE: INSURER_ROLES,
    Action.READ_A_SECOND_TIME: frozenset({Role.REVIEWER, Role.PHYSICIAN}),
    Action.READ_POLICIES: INSURER_ROLES,
    Action.DECIDE_POLICIES: frozenset({Role.INSURER_ADMIN}),
    Action.READ_METRICS: (CLINIC_ROLES | INSURER_ROLES) - {Role.INTAKE},
    Action.READ_PRODUCTIVITY: CLINIC_ROLES,
    Action.READ_MESSAGE_BURDEN: _ADMINISTRATORS,
    Action.MANAGE_WEBHOOKS: _ADMINISTRATORS,
    Action.MANAGE_CLIENTS: _ADMINISTRATORS,
    Action.MANAGE_PEOPLE: _ADMINISTRATORS,
    Action.OPEN_IN_EMERGENCY: _CLINIC,
    Action.READ_EMERGENCIES: _ADMINISTRATORS,
    Action.READ_AUDIT: _ADMINISTRATORS,
    Action.ACCOUNT_FOR_DISCLOSURES: _ADMINISTRATORS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, for which organization, in which roles. Keys are the rows' inside keys.

    `scopes` narrow a machine's roles, and `requests_a_minute` what the deployment lets machines ask; None does not.
    """

    name: str
    roles: frozenset[Role]
    organization_id: int | None = None
    person_id: int | None = None
    client_id: int | None = None
    scopes: frozenset[str] | None = None
    requests_a_minute: int | None = None

    @property
    def is_system(self) -> bool:
        return Role.SYSTEM in self.roles

    @property
    def organization(self) -> int:
        """Return the key of the organization acted for.

        :raises ValueError: for the system itself, which belongs to none.
        """
        if self.organization_id is None:
            raise ValueError(f"{self.name} acts for no organization")
        return self.organization_id


SYSTEM = Actor(name="Authz", roles=frozenset({Role.SYSTEM}))


def may(actor: Actor, action: Action) -> bool:
    """Say whether the actor's roles allow the action at all; whose records it touches is decided by the selectors."""
    return actor.is_system or bool(actor.roles & ALLOWED[action])


def must_be_allowed(actor: Actor, action: Action) -> None:
    """Refuse an actor whose roles do not include the action.

    :raises Forbidden: naming the action.
    """
    if not may(actor, action):
        raise Forbidden(f"Your role does not allow you to {action.value}.")
