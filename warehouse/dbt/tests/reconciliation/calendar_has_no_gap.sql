-- dim_date has every day from its first to its last, and no day outside the release dates.
with days as (

    select * from {{ ref('stg_dim_date') }}

),

movies as (

    select * from {{ ref('stg_dim_movie') }}

),

calendar as (

    select
        count(*) as stored_days,
        min(date_day) as stored_first,
        max(date_day) as stored_last
    from days

),

released as (

    select
        min(release_date) as first_release,
        max(release_date) as last_release
    from movies

)

select
    calendar.stored_days,
    calendar.stored_first,
    calendar.stored_last,
    released.first_release,
    released.last_release
from calendar
cross join released
where
    calendar.stored_days <> {{ datediff('released.first_release', 'released.last_release', 'day') }} + 1
    or calendar.stored_first <> released.first_release
    or calendar.stored_last <> released.last_release
