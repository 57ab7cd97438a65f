"""Refills that were not asked for are none: no more are granted. What was decided before stands as it is."""

import django.db.models.functions.comparison
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0038_what_is_sent_with_an_appeal'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='determinationline',
            name='granted_never_exceeds_asked',
        ),
        AddConstraintNotValid(
            model_name='determinationline',
            constraint=models.CheckConstraint(condition=models.Q(('granted_days__lte', models.F('asked_days')), models.Q(('granted_quantity', None), ('asked_quantity', None), ('granted_quantity__lte', models.F('asked_quantity')), _connector='OR'), models.Q(('granted_daily_units', None), ('asked_daily_units', None), ('granted_daily_units__lte', models.F('asked_daily_units')), _connector='OR'), models.Q(('granted_refills', None), ('granted_refills__lte', django.db.models.functions.comparison.Coalesce('asked_refills', 0)), _connector='OR'), models.Q(('starts_on', None), ('asked_from', None), ('starts_on__gte', models.F('asked_from')), _connector='OR'), models.Q(('ends_on', None), ('asked_until', None), ('ends_on__lte', models.F('asked_until')), _connector='OR')), name='granted_never_exceeds_asked'),
        ),
    ]
