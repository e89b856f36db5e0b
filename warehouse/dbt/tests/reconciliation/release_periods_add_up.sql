-- Months, quarters and years each hold every movie of fact_box_office with a release date once.
with periods as (

    select * from {{ ref('stg_agg_release_period') }}

),

box_office as (

    select * from {{ ref('stg_fact_box_office') }}
    where release_date is not null

),

released as (

    select 'month' as period_type, release_month as period, revenue, revenue_real from box_office
    union all
    select 'quarter' as period_type, release_quarter as period, revenue, revenue_real from box_office
    union all
    select 'year' as period_type, release_year as period, revenue, revenue_real from box_office

),

-- One median per select: Redshift sorts a select's rows in one order only.
recomputed as (

    select
        period_type,
        period,
        count(*) as movies,
        sum(revenue) as revenue,
        count(revenue_real) as adjustable,
        sum(revenue_real) as revenue_real,
        percentile_cont(0.5) within group (order by cast(revenue as double precision)) as median_revenue
    from released
    group by period_type, period

),

recomputed_real as (

    select
        period_type,
        period,
        percentile_cont(0.5) within group (order by cast(revenue_real as double precision)) as median_revenue_real
    from released
    where revenue_real is not null
    group by period_type, period

),

compared as (

    select
        coalesce(periods.period_type, recomputed.period_type)
        || ' '
        || cast(coalesce(periods.period, recomputed.period) as {{ dbt.type_string() }}) as period,
        periods.movies as stored_movies,
        recomputed.movies as recomputed_movies,
        periods.revenue as stored_revenue,
        recomputed.revenue as recomputed_revenue,
        periods.adjustable as stored_adjustable,
        recomputed.adjustable as recomputed_adjustable,
        periods.revenue_real as stored_revenue_real,
        recomputed.revenue_real as recomputed_revenue_real,
        periods.median_revenue as stored_median_revenue,
        recomputed.median_revenue as recomputed_median_revenue,
        periods.median_revenue_real as stored_median_revenue_real,
        recomputed_real.median_revenue_real as recomputed_median_revenue_real,
        periods.mean_revenue as stored_mean_revenue,
        cast(recomputed.revenue as double precision) / recomputed.movies as recomputed_mean_revenue,
        periods.mean_revenue_real as stored_mean_revenue_real,
        cast(recomputed.revenue_real as double precision)
        / nullif(recomputed.adjustable, 0) as recomputed_mean_revenue_real
    from periods
    full outer join recomputed
        on
            periods.period_type = recomputed.period_type
            and periods.period = recomputed.period
    left join recomputed_real
        on
            recomputed.period_type = recomputed_real.period_type
            and recomputed.period = recomputed_real.period

)

{{ disagreements(
    'compared',
    'period',
    exact=['movies', 'revenue', 'adjustable', 'revenue_real'],
    close=['mean_revenue', 'median_revenue', 'mean_revenue_real', 'median_revenue_real']
) }}
