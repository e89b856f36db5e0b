{# Overrides dbt: what a generic test sees of a mart, which holds several runs, is the run's rows. #}
{% macro get_where_subquery(relation) -%}
    {%- if relation.schema == target.schema and relation.type != 'cte' -%}
        {{- return('(select * from ' ~ relation ~ ' where ' ~ is_this_run() ~ ') as rows_of_the_run') -}}
    {%- else -%}
        {{- return(relation) -}}
    {%- endif -%}
{%- endmacro %}
