-- agg_genre_rating counts the users with a rating of any movie of a genre. Where the run's ratings go on from another's
-- and its movies have the same genres, only users with other ratings are looked at: before and now.
{%- set facts = facts_of_run() -%}
{%- set before = run_with_the_same_genres(run_gone_on_from(facts)) %}

with genre_ratings as (

    select * from {{ ref('stg_agg_genre_rating') }}

),

movie_genres as (

    select * from {{ ref('stg_bridge_movie_genre') }}

),

-- A movie's genres as bits, and a user's those of any movie: joined with the ratings themselves, genres would make
-- several rows of each. Two words of bits in one row, so that a movie's row is seen to be the only one.
masks as (

    select
        movie_genres.tmdb_id,
        bit_or(bits.low_bit) as low_mask,
        bit_or(bits.high_bit) as high_mask
    from movie_genres
    inner join {{ genre_bits() }} as bits on movie_genres.genre_id = bits.genre_id
    group by movie_genres.tmdb_id

),

{% if before.run_id is none -%}
rated as (

    select
        user_id,
        tmdb_id,
        1 as is_now,
        0 as was_before
    from {{ ref('stg_fact_rating') }}

),
{%- else -%}
changes as (

    {{ rating_changes(facts, before) }}

),

rated as (

    {{ ratings_of_users(facts, before, 'changes') }}

),
{%- endif %}

users as (

    select
        rated.user_id,
        bit_or(case when rated.is_now = 1 then masks.low_mask end) as low_mask,
        bit_or(case when rated.is_now = 1 then masks.high_mask end) as high_mask,
        bit_or(case when rated.was_before = 1 then masks.low_mask end) as low_mask_before,
        bit_or(case when rated.was_before = 1 then masks.high_mask end) as high_mask_before
    from rated
    inner join masks on rated.tmdb_id = masks.tmdb_id
    group by rated.user_id

),

changed as (

    select
        bits.genre_id,
        1 as users
    from users
    inner join {{ genre_bits() }} as bits
        on users.low_mask & bits.low_bit <> 0 or users.high_mask & bits.high_bit <> 0

    {% if before.run_id is not none -%}
    union all

    select
        bits.genre_id,
        -1 as users
    from users
    inner join {{ genre_bits() }} as bits
        on users.low_mask_before & bits.low_bit <> 0 or users.high_mask_before & bits.high_bit <> 0

    union all

    select
        genre_id,
        users
    from {{ source('gold', 'agg_genre_rating') }}
    where run_id = '{{ before.run_id }}'
    {%- endif %}

),

recomputed as (

    select
        genre_id,
        sum(users) as users
    from changed
    group by genre_id

),

compared as (

    select
        coalesce(genre_ratings.genre_id, recomputed.genre_id) as genre_id,
        genre_ratings.users as stored_users,
        recomputed.users as recomputed_users
    from genre_ratings
    full outer join recomputed on genre_ratings.genre_id = recomputed.genre_id

)

{{ disagreements('compared', 'genre_id', exact=['users']) }}
