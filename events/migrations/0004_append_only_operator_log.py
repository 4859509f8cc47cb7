from django.db import migrations

from ..models import Event
from ..store import schema

# A host may give this app another label.
LABEL = Event._meta.app_label


class Migration(migrations.Migration):
    dependencies = [(LABEL, "0003_delivery")]

    operations = [
        migrations.RunPython(schema.install_functions, migrations.RunPython.noop),
        migrations.RunPython(
            schema.install_operator_log_triggers, schema.drop_operator_log_triggers
        ),
    ]
