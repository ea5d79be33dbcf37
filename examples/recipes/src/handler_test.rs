//! Testing a handler: a request with a session goes in, and what became of the session is read from the response.

use axum::routing::{get, post};
use axum::{Json, Router};
use waxseal::{OpenSession, SessionError, SessionLayer};

use crate::Shop;

async fn add(mut shop: OpenSession<Shop>, Json(sku): Json<u32>) -> Result<Json<Vec<u32>>, SessionError> {
    shop.update(|shop| shop.cart.push(sku))?;
    Ok(Json(shop.cart.clone()))
}

async fn show(shop: OpenSession<Shop>) -> Json<Vec<u32>> {
    Json(shop.cart.clone())
}

/// Takes the layer, so that a test can ask it for requests.
pub fn app(layer: SessionLayer<Shop>) -> Router {
    Router::new().route("/cart", get(show)).route("/cart", post(add)).layer(layer)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt;
    use waxseal::{KeyRing, Sealer};

    use super::*;

    #[tokio::test]
    async fn an_article_goes_into_the_cart() -> Result<(), Box<dyn Error>> {
        let layer = SessionLayer::new(&Sealer::<Shop>::new(&KeyRing::generate()?, "session")?);

        let mut request = Request::post("/cart").header("content-type", "application/json").body(Body::from("7"))?;
        request.headers_mut().extend(layer.request_headers(&Shop { user: "ada".into(), cart: vec![1] })?);
        let response = app(layer.clone()).oneshot(request).await?;

        assert_eq!(response.status(), StatusCode::OK);
        // What the client would send next time, opened.
        let session = layer.response_session(response.headers())?.ok_or("no new token")?;
        assert_eq!(session.state().cart, [1, 7]);
        assert_eq!(to_bytes(response.into_body(), 1000).await?, "[1,7]");
        Ok(())
    }

    #[tokio::test]
    async fn the_cart_is_for_those_who_have_a_session() -> Result<(), Box<dyn Error>> {
        let layer = SessionLayer::new(&Sealer::<Shop>::new(&KeyRing::generate()?, "session")?);
        let response = app(layer).oneshot(Request::get("/cart").body(Body::empty())?).await?;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        Ok(())
    }
}
