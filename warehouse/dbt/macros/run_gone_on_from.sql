{#
    The run whose ratings this one's go on from in their partition, and its place; both none without one. It was
    published, so its sums are those of its ratings, and rows of a place never change: what this run's ratings say is
    what that one's sums say, and what came and went since.
#}
{% macro run_gone_on_from(facts) -%}
    {%- set before = {'run_id': none, 'place': none} -%}
    {%- if execute and facts.place > 0 -%}
        {%- set candidates -%}
            select candidates.run_id, candidates.place
            from (
                select run_id, place
                from mart_versions.shared_facts
                where facts_run_id = '{{ facts.run_id }}'
                union all
                select cast('{{ facts.run_id }}' as {{ dbt.type_string() }}), 0
                where not exists (select 1 from mart_versions.shared_facts where run_id = '{{ facts.run_id }}')
            ) as candidates
            inner join mart_versions.run_summary on candidates.run_id = run_summary.run_id
            where
                candidates.place < {{ facts.place }}
                and exists (
                    select 1
                    from {{ source('gold', 'agg_movie_rating') }} as sums
                    where sums.run_id = candidates.run_id
                )
            order by candidates.place desc, candidates.run_id
            limit 1
        {%- endset -%}
        {%- set found = run_query(candidates) -%}
        {%- for row in found.rows -%}
            {%- do before.update({'run_id': row[0], 'place': row[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(before) -}}
{%- endmacro %}

{# The same where that run's movies have the genres that they have now; none where not. #}
{% macro run_with_the_same_genres(before) -%}
    {%- set same = {'run_id': none, 'place': none} -%}
    {%- if before.run_id is not none -%}
        {%- set genres = 'select tmdb_id, genre_id from ' ~ source('gold', 'bridge_movie_genre') ~ ' where run_id = ' -%}
        {%- set now = genres ~ run_id_literal() -%}
        {%- set then = genres ~ "'" ~ before.run_id ~ "'" -%}
        {%- set other = run_query(
            'select 1 from ((' ~ now ~ ' except ' ~ then ~ ') union all (' ~ then ~ ' except ' ~ now ~ ')) as other limit 1'
        ) -%}
        {%- if other.rows | length == 0 -%}
            {%- do same.update(before) -%}
        {%- endif -%}
    {%- endif -%}
    {{- return(same) -}}
{%- endmacro %}
