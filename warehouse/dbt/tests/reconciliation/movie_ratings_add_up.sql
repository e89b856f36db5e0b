-- agg_movie_rating counts every rating of fact_rating once, each of half a star to five. A rating without a movie, or
-- of one that is not in agg_movie_rating, whose movies are tested to be TMDB's, is counted by nothing there.
{%- set facts = facts_of_run() -%}
{%- set before = run_gone_on_from(facts) %}

with movie_ratings as (

    select * from {{ ref('stg_agg_movie_rating') }}

),

changes as (

    {{ rating_changes(facts, before) }}

),

counted as (

    select
        tmdb_id,
        sum(change) as ratings,
        cast(sum(change * rating_tenths) * 0.1 as decimal(18, 1)) as rating_sum,
        sum(case when rating_tenths between 5 and 50 then 0 else 1 end) as out_of_range
    from changes
    group by tmdb_id

    {% if before.run_id is not none -%}
    union all

    select
        tmdb_id,
        ratings,
        rating_sum,
        0 as out_of_range
    from {{ source('gold', 'agg_movie_rating') }}
    where run_id = '{{ before.run_id }}'
    {%- endif %}

),

recomputed as (

    select
        tmdb_id,
        sum(ratings) as ratings,
        sum(rating_sum) as rating_sum,
        sum(out_of_range) as out_of_range
    from counted
    group by tmdb_id

),

compared as (

    select
        coalesce(movie_ratings.tmdb_id, recomputed.tmdb_id) as tmdb_id,
        movie_ratings.ratings as stored_ratings,
        recomputed.ratings as recomputed_ratings,
        movie_ratings.rating_sum as stored_rating_sum,
        recomputed.rating_sum as recomputed_rating_sum,
        0 as stored_out_of_range,
        recomputed.out_of_range as recomputed_out_of_range,
        movie_ratings.mean_rating as stored_mean_rating,
        cast(recomputed.rating_sum as double precision) / nullif(recomputed.ratings, 0) as recomputed_mean_rating
    from movie_ratings
    full outer join recomputed on movie_ratings.tmdb_id = recomputed.tmdb_id

)

{{ disagreements('compared', 'tmdb_id', exact=['ratings', 'rating_sum', 'out_of_range'], close=['mean_rating']) }}
