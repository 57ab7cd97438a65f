"""What the tests of the rule run with."""

from hypothesis import HealthCheck, Phase, settings

# For mutation testing: the same few examples every time, and no search for a smaller one once a mutant is found out.
settings.register_profile(
    "mutation",
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
