{#
    The run to build: the var run_id, or RUN_ID in the environment. It is read only when a node
    is executed, so that one parsed project (partial_parse.msgpack) serves every run. dbt parses
    again when vars change, so the environment is the faster way.
#}
{% macro run_id() -%}
    {%- if execute -%}
        {%- set id = var('run_id', env_var('RUN_ID', '')) | string -%}
        {%- if not modules.re.fullmatch('[A-Za-z0-9_.-]{1,100}', id) -%}
            {{ exceptions.raise_compiler_error(
                "the var run_id, or RUN_ID in the environment, names the run to build:"
                ~ " 1 to 100 characters of A-Z a-z 0-9 _ . -, got '" ~ id ~ "'"
            ) }}
        {%- endif -%}
        {{- id -}}
    {%- endif -%}
{%- endmacro %}

{# The run id as a value of the type of the run_id columns. #}
{% macro run_id_literal() -%}
    cast('{{ run_id() }}' as {{ dbt.type_string() }})
{%- endmacro %}

{# Picks the rows of the run out of a table that holds several. #}
{% macro is_this_run() -%}
    run_id = '{{ run_id() }}'
{%- endmacro %}

{# Renders to no SQL: stops a command that names no run before its first node. #}
{% macro require_run_id() -%}
    {%- set _ = run_id() -%}
{%- endmacro %}
