from django.db import migrations

from ..models import Event
from ..store import schema

# A host may give this app another label.
LABEL = Event._meta.app_label


class Migration(migrations.Migration):
    dependencies = [(LABEL, "0001_initial")]

    operations = [
        migrations.RunPython(schema.set_bytewise_collation, migrations.RunPython.noop),
        migrations.RunPython(schema.install_functions, schema.drop_functions),
        migrations.RunPython(schema.install_append_only_triggers, schema.drop_append_only_triggers),
    ]
