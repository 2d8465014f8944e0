//! Images: what is found out about them, and what they look like when they are smaller.

use crate::app::{Setup, TestApp};
use crate::device::Device;
use crate::media_call::{get, upload, uploaded};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::{Value, json};
use std::io::Cursor;

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// The left half is red, the right half blue.
fn two_halves(width: u32, height: u32) -> DynamicImage {
    let colour = |x, _| if x < width / 2 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) };
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, colour))
}

/// Type, width and height of each entry.
fn sizes(answer: &Value) -> Vec<(u64, u64, u64)> {
    let number = |value: &Value| value.as_u64().unwrap();
    let entries = answer["Thumbnails"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    entries.map(|entry| (number(&entry["Type"]), number(&entry["Width"]), number(&entry["Height"]))).collect()
}

/// The entry of a type, as a reader finds it behind its address.
async fn read_back(app: &TestApp, answer: &Value, size_type: usize) -> (String, DynamicImage, Vec<u8>) {
    let entry = &answer["Thumbnails"][size_type - 1];
    let fetched = get(app, entry["Url"].as_str().unwrap(), "").await;
    assert_eq!(fetched.status, 200);
    assert_eq!(fetched.body.len() as u64, entry["Size"].as_u64().unwrap());
    let image = image::load_from_memory(&fetched.body).unwrap();
    let seen = (u64::from(image.width()), u64::from(image.height()));
    if size_type > 1 {
        assert_eq!((Some(seen.0), Some(seen.1)), (entry["Width"].as_u64(), entry["Height"].as_u64()));
    }
    (fetched.header("content-type").to_owned(), image, fetched.body)
}

/// The `MsgBody` that a client makes of the answer.
fn image_element(answer: &Value) -> Value {
    let entries: Vec<Value> = answer["Thumbnails"].as_array().unwrap().iter().map(|entry| {
        json!({"Type": entry["Type"], "Size": entry["Size"], "Width": entry["Width"], "Height": entry["Height"], "URL": entry["Url"]})
    }).collect();
    let content =
        json!({"UUID": answer["UUID"], "ImageFormat": answer["ImageFormat"], "ImageInfoArray": entries});
    json!([{"MsgType": "TIMImageElem", "MsgContent": content}])
}

#[tokio::test]
async fn an_image_is_uploaded_sent_and_seen() {
    let app = Setup::default().start().await;
    let (mut ana, mut bo) = (app.device("ana").await, app.device("bo").await);
    let bytes = encoded(&two_halves(1600, 900), ImageFormat::Png);
    let answer = uploaded(&app, &mut ana, ("image", "holiday.png"), &bytes).await;
    assert_eq!(answer["Size"], bytes.len());
    assert_eq!((&answer["Format"], &answer["ImageFormat"]), (&json!("png"), &json!(3)));
    assert_eq!((&answer["Width"], &answer["Height"]), (&json!(1600), &json!(900)));
    let id = answer["UUID"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    assert_eq!(answer["Url"], format!("http://test/media/1400000001/{id}.png/holiday.png"));
    assert_eq!(
        answer["Thumbnails"][2]["Url"],
        format!("http://test/media/1400000001/{id}.small.jpg/small.jpg")
    );
    assert_eq!(sizes(&answer), [(1, 1600, 900), (2, 720, 405), (3, 200, 113)]);

    let frame = json!({"id": 3, "op": "send", "to": "bo", "random": 5, "body": image_element(&answer)});
    ana.say(frame.to_string()).await;
    let sent = ana.hear_json().await;
    assert!(sent["ok"]["MsgKey"].is_string(), "{sent}");
    let push = bo.hear_json().await;
    let element = &push["message"]["MsgBody"][0]["MsgContent"];
    assert_eq!(element["ImageInfoArray"][0]["URL"], answer["Url"]);

    let (kind, _, original) = read_back(&app, &answer, 1).await;
    assert_eq!((kind.as_str(), &original), ("image/png", &bytes), "byte for byte");
    for size_type in [2, 3] {
        let (kind, image, _) = read_back(&app, &answer, size_type).await;
        assert_eq!(kind, "image/jpeg");
        let image = image.to_rgb8();
        let (left, right) = (image.get_pixel(5, 5), image.get_pixel(image.width() - 5, 5));
        assert!(left[0] > 200 && left[2] < 60 && right[2] > 200 && right[0] < 60, "{left:?} {right:?}");
    }
    app.stop().await;
}

/// What a camera writes: how it was held, and where it was.
fn exif(orientation: u8) -> Vec<u8> {
    let place = b"48 deg 51' N, 2 deg 21' E\0";
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    // Two entries of the first directory: the orientation, and a text.
    tiff.extend(b"\0\x02");
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend([0x01, 0x0e, 0, 2, 0, 0, 0, u8::try_from(place.len()).unwrap(), 0, 0, 0, 38]);
    tiff.extend(b"\0\0\0\0");
    tiff.extend(place);
    let mut segment = b"\xff\xe1".to_vec();
    segment.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
    segment.extend(b"Exif\0\0");
    segment.extend(tiff);
    segment
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn thumbnails_are_turned_as_the_camera_was_held_and_do_not_say_where() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let mut plain = Vec::new();
    JpegEncoder::new_with_quality(&mut plain, 95).encode_image(&two_halves(1000, 600)).unwrap();
    // Held upright: to be shown, it is turned clockwise, and what was left is then above.
    let bytes = [&plain[..2], &exif(6), &plain[2..]].concat();
    let answer = uploaded(&app, &mut ana, ("image", "a.jpg"), &bytes).await;
    assert_eq!((&answer["Format"], &answer["ImageFormat"]), (&json!("jpg"), &json!(1)));
    assert_eq!(sizes(&answer), [(1, 600, 1000), (2, 432, 720), (3, 120, 200)]);
    for size_type in [2, 3] {
        let (_, image, bytes) = read_back(&app, &answer, size_type).await;
        let image = image.to_rgb8();
        let (above, below) = (image.get_pixel(5, 5), image.get_pixel(5, image.height() - 5));
        assert!(above[0] > 200 && below[2] > 200, "{above:?} {below:?}");
        assert!(!contains(&bytes, b"Exif") && !contains(&bytes, b"48 deg"));
    }
    let (_, _, original) = read_back(&app, &answer, 1).await;
    assert!(contains(&original, b"48 deg"), "the original is left as it is");
    app.stop().await;
}

#[tokio::test]
async fn every_format_is_read() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let opaque = two_halves(400, 300);
    let hole = |x, _| if x < 200 { Rgba([0, 255, 0, 255]) } else { Rgba([0, 0, 0, 0]) };
    let transparent = DynamicImage::ImageRgba8(RgbaImage::from_fn(400, 300, hole));
    let table = [
        (&opaque, ImageFormat::Bmp, "bmp", 4, "image/bmp", "image/jpeg"),
        (&opaque, ImageFormat::WebP, "webp", 255, "image/webp", "image/jpeg"),
        (&transparent, ImageFormat::WebP, "webp", 255, "image/webp", "image/png"),
        (&transparent, ImageFormat::Gif, "gif", 2, "image/gif", "image/png"),
        (&transparent, ImageFormat::Png, "png", 3, "image/png", "image/png"),
    ];
    for (image, format, extension, number, shown_as, thumbnail) in table {
        let bytes = encoded(image, format);
        let answer = uploaded(&app, &mut ana, ("image", "a"), &bytes).await;
        assert_eq!((&answer["Format"], &answer["ImageFormat"]), (&json!(extension), &json!(number)));
        // Nothing is made that would be no smaller: the large one is the original.
        assert_eq!(sizes(&answer), [(1, 400, 300), (2, 400, 300), (3, 200, 150)]);
        assert_eq!(answer["Thumbnails"][1]["Url"], answer["Url"]);
        assert_eq!(read_back(&app, &answer, 2).await.0, shown_as);
        let (kind, small, _) = read_back(&app, &answer, 3).await;
        assert_eq!(kind, thumbnail, "{extension}");
        if thumbnail == "image/png" {
            assert_eq!(small.to_rgba8().get_pixel(190, 75)[3], 0, "what can be seen through, still can");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_small_image_stands_for_itself() {
    let app = Setup::default().start().await;
    let mut ana = app.device("ana").await;
    let bytes = encoded(&two_halves(20, 1), ImageFormat::Png);
    let answer = uploaded(&app, &mut ana, ("image", "dot.png"), &bytes).await;
    assert_eq!(sizes(&answer), [(1, 20, 1), (2, 20, 1), (3, 20, 1)]);
    let urls: Vec<&Value> = (0..3).map(|at| &answer["Thumbnails"][at]["Url"]).collect();
    assert_eq!(urls, [&answer["Url"]; 3]);
    let strip = encoded(&two_halves(3000, 1), ImageFormat::Png);
    let answer = uploaded(&app, &mut ana, ("image", "strip.png"), &strip).await;
    assert_eq!(sizes(&answer), [(1, 3000, 1), (2, 720, 1), (3, 200, 1)]);
    app.stop().await;
}

async fn refused(app: &TestApp, device: &mut Device, bytes: &[u8]) -> (u16, u64) {
    upload(app, device, ("image", "a"), bytes).await.refusal()
}

#[tokio::test]
async fn what_cannot_be_read_or_unfolds_to_too_much_is_refused() {
    let app = Setup::default().settings("[media]\nimage_pixels_max = 1000000\n").start().await;
    let mut ana = app.device("ana").await;
    let largest = encoded(&two_halves(1000, 1000), ImageFormat::Png);
    uploaded(&app, &mut ana, ("image", "a.png"), &largest).await;

    // Some kilobytes that would be much more.
    let bomb = encoded(&two_halves(4000, 4000), ImageFormat::Png);
    assert!(bomb.len() < 400_000, "{} bytes", bomb.len());
    assert_eq!(refused(&app, &mut ana, &bomb).await, (422, 11013));
    // Some bytes that say to be more than any memory has.
    let mut gif = encoded(&two_halves(2, 2), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert_eq!(refused(&app, &mut ana, &gif).await, (422, 11013));
    let mut bmp = encoded(&two_halves(2, 2), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0]);
    assert_eq!(refused(&app, &mut ana, &bmp).await, (422, 11013));

    let half = &largest[..largest.len() / 2];
    assert_eq!(refused(&app, &mut ana, half).await, (422, 11013), "cut off");
    assert_eq!(refused(&app, &mut ana, &largest[..8]).await, (422, 11013), "a beginning alone");
    let mut damaged = largest.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 64].fill(0x55);
    assert_eq!(refused(&app, &mut ana, &damaged).await, (422, 11013));
    let jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF and then something else entirely";
    assert_eq!(refused(&app, &mut ana, jpeg).await, (422, 11013));

    // It can be sent as a file, which nobody unfolds.
    let answer = uploaded(&app, &mut ana, ("file", "bomb.png"), &bomb).await;
    assert_eq!((&answer["Format"], &answer["Thumbnails"]), (&json!("bin"), &Value::Null));
    let directory = app.stop().await;
    let kept = std::fs::read_dir(directory.path().join("data/media/incoming")).unwrap().count();
    assert_eq!(kept, 0, "nothing is left of what was refused");
}
