import django.db.models.deletion
from django.db import migrations, models

# What was rendered before stays as it was handed out; its text was not kept, and is not asked for.
KEEP_WHAT_WAS_RENDERED = """
INSERT INTO authz_renderedpaper (paper_id, file_id, rendered_at)
SELECT id, file_id, rendered_at FROM authz_paper
"""
APPEND_ONLY = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON authz_renderedpaper
    FOR EACH ROW EXECUTE FUNCTION authz_refuse_change()
"""


class Migration(migrations.Migration):

    dependencies = [
        ('authz', '0017_after_a_decision'),
    ]

    operations = [
        migrations.CreateModel(
            name='RenderedPaper',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rendered_at', models.DateTimeField()),
                ('file', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='authz.storedfile')),
                ('paper', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='rendered', to='authz.paper')),
            ],
        ),
        migrations.RunSQL(KEEP_WHAT_WAS_RENDERED, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, "DROP TRIGGER append_only ON authz_renderedpaper"),
        migrations.AddField(
            model_name='paper',
            name='text',
            field=models.JSONField(default=dict),
            preserve_default=False,
        ),
        migrations.RenameField(
            model_name='paper',
            old_name='rendered_at',
            new_name='written_at',
        ),
        migrations.RemoveField(
            model_name='paper',
            name='file',
        ),
    ]
