{#
    A query for the movies that some users rated, now and in the run before. How many users they are Postgres does not
    guess well, and would rather read all ratings: it is told to look each user's up, by the index of the key.
#}
{% macro ratings_of_users(facts, before, users) -%}
    {{- adapter.dispatch('ratings_of_users')(facts, before, users) -}}
{%- endmacro %}

{% macro default__ratings_of_users(facts, before, users) -%}
    select
        user_id,
        {{ movies_then_and_now(facts, before) }}
        and user_id in (select {{ users }}.user_id from {{ users }})
    group by user_id, tmdb_id
{%- endmacro %}

{% macro postgres__ratings_of_users(facts, before, users) -%}
    select
        rated_by.user_id,
        movies.tmdb_id,
        movies.is_now,
        movies.was_before
    from (select distinct {{ users }}.user_id from {{ users }}) as rated_by
    cross join
        lateral (
            select
                {{ movies_then_and_now(facts, before) }}
                and user_id = rated_by.user_id
            group by tmdb_id
        ) as movies
    -- By itself: what it is joined with would be made anew for each user.
    offset 0
{%- endmacro %}

{% macro movies_then_and_now(facts, before) -%}
        tmdb_id,
        max(case when {{ is_at_place(facts.place) }} then 1 else 0 end) as is_now,
        max(case when {{ is_at_place(before.place) }} then 1 else 0 end) as was_before
    from {{ source('gold', 'fact_rating') }}
    where
        {{ is_in_partition(facts) }}
{%- endmacro %}
