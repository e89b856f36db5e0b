{#
    Where the ratings of the run are: the run id of the partition, and the place up to which they are the run's, as the
    loader wrote it. Asked before a query is made, so that the query names one partition.
#}
{% macro facts_of_run() -%}
    {%- set facts = {'run_id': run_id(), 'place': 0} -%}
    {%- if execute -%}
        {%- set found = run_query(
            'select facts_run_id, place from mart_versions.shared_facts where ' ~ is_this_run()
        ) -%}
        {%- for row in found.rows -%}
            {%- do facts.update({'run_id': row[0], 'place': row[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(facts) -}}
{%- endmacro %}

{# Whether a rating is in the partition that these facts name. In Postgres that is by a number of the run. #}
{% macro is_in_partition(facts) -%}
    {{- adapter.dispatch('is_in_partition')(facts) -}}
{%- endmacro %}

{% macro default__is_in_partition(facts) -%}
    run_id = '{{ facts.run_id }}'
{%- endmacro %}

{% macro postgres__is_in_partition(facts) -%}
    run_key = gold.run_key('{{ facts.run_id }}')
{%- endmacro %}

{# Whether a rating is one of a place: it is from that or before, and not replaced until it. #}
{% macro is_at_place(place) -%}
    from_place <= {{ place }} and until_place > {{ place }}
{%- endmacro %}
