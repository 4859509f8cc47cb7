import django.utils.timezone
from django.db import migrations, models

from ..models import Event

# A host may give this app another label.
LABEL = Event._meta.app_label


class Migration(migrations.Migration):
    dependencies = [(LABEL, "0005_inbox")]

    operations = [
        migrations.AlterModelOptions(
            name="event",
            options={
                "permissions": [
                    ("export_event", "Can export events"),
                    ("reveal_event", "Can see personal data, giving a reason"),
                ],
                "verbose_name": "event",
                "verbose_name_plural": "events",
            },
        ),
        migrations.AlterModelOptions(
            name="snapshot",
            options={
                "permissions": [("drop_snapshot", "Can drop snapshots")],
                "verbose_name": "snapshot",
                "verbose_name_plural": "snapshots",
            },
        ),
        migrations.AddIndex(
            model_name="failedevent",
            index=models.Index(fields=["event_id"], name="events_failed_event_id"),
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("owner", models.CharField(max_length=255, verbose_name="owner")),
                ("owner_name", models.CharField(max_length=200, verbose_name="by")),
                ("query", models.TextField(blank=True, verbose_name="query")),
                ("is_shared", models.BooleanField(default=False, verbose_name="for everybody")),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="created at"
                    ),
                ),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "db_table": "events_saved_views",
                "permissions": [("share_savedview", "Can save views for everybody")],
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_shared", True)),
                        fields=["name"],
                        name="events_saved_views_shared",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["owner", "name"], name="events_saved_views_name"
                    )
                ],
            },
        ),
    ]
