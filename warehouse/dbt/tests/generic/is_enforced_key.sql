{# The columns name one row of a gold table within the run, and are never null. #}
{% test is_enforced_key(model, table, columns) %}

{{ adapter.dispatch('rows_against_key')(model, table, columns) }}

{% endtest %}
