from django.db import migrations, models


def forget(apps, schema_editor):
    """Models of the old shape cannot be read any more; the next round fits a new one."""
    apps.get_model("mylist", "FittedModel").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("mylist", "0001_initial")]

    operations = [
        migrations.RunPython(forget, forget),
        migrations.RemoveField(model_name="fittedmodel", name="parameters"),
        migrations.AddField(
            model_name="fittedmodel",
            name="data",
            field=models.BinaryField(default=b"", verbose_name="data"),
            preserve_default=False,
        ),
    ]
