{# Stops at the first row. #}
{% test not_empty(model) %}

select 'no row' as problem
where not exists (select 1 from {{ model }})

{% endtest %}
