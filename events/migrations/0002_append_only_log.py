from django.db import migrations

from ..store import schema


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.RunPython(schema.set_bytewise_collation, migrations.RunPython.noop),
        migrations.RunPython(schema.install_functions, schema.drop_functions),
        migrations.RunPython(schema.install_append_only_triggers, schema.drop_append_only_triggers),
    ]
