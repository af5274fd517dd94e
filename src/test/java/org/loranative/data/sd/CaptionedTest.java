package org.loranative.data.sd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.data.TextFile;

class CaptionedTest {
  @TempDir Path folder;

  private void file(String name, String text) throws IOException {
    Files.createDirectories(folder.resolve(name).getParent());
    Files.writeString(folder.resolve(name), text);
  }

  @Test
  void metadataOfEitherKind() throws IOException {
    file("a.png", "");
    file("b/c.jpg", "");
    file("d.png", "");
    file("metadata.jsonl", "{\"file_name\":\"b/c.jpg\",\"text\":\"two\"}\n");
    Captioned.Found found = Captioned.read(folder);
    assertThat(found.images()).containsExactly(new Captioned(folder.resolve("b/c.jpg"), "two"));
    assertThat(found.withoutCaption())
        .containsExactly(folder.resolve("a.png"), folder.resolve("d.png"));
    file("metadata.csv", "prompt,filename\n\"one, and\",a.png\n");
    assertThat(Captioned.read(folder).images())
        .containsExactly(new Captioned(folder.resolve("a.png"), "one, and"));
  }

  @Test
  void sidecars() throws IOException {
    file("a.png", "");
    file("a.txt", " first \n");
    file("b.PNG", "");
    file("b.caption", "second");
    file("c.jpeg", "");
    Captioned.Found found = Captioned.read(folder);
    assertThat(found.images())
        .containsExactly(
            new Captioned(folder.resolve("a.png"), "first"),
            new Captioned(folder.resolve("b.PNG"), "second"));
    assertThat(found.withoutCaption()).containsExactly(folder.resolve("c.jpeg"));
  }

  @Test
  void aLineWithoutAnImagesNameIsNamed() throws IOException {
    for (String csv : List.of("filename,prompt\n,x\n", "picture,prompt\na.png,x\n")) {
      file("metadata.csv", csv);
      assertThatThrownBy(() -> Captioned.read(folder))
          .isInstanceOf(UserException.class)
          .hasMessageEndingWith(
              "metadata.csv line 2 names no image: one of filename, file_name, image must.");
    }
  }

  @Test
  void whatIsMissingIsNamedWithItsLine() throws IOException {
    file("metadata.csv", "filename,prompt\na.png,x\n");
    assertThatThrownBy(() -> Captioned.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("metadata.csv")
        .hasMessageContaining("a.png does not exist; there are no images beside it");
    file("metadata.csv", "name,prompt\na.png,x\n");
    assertThatThrownBy(() -> Captioned.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("filename, file_name");
  }

  private static List<String> names(List<Path> files) {
    return files.stream().map(f -> f.getFileName().toString()).toList();
  }

  @Test
  void aByteOrderMarkIsNoPartOfACaption() {
    assertThat(Captioned.read(Path.of("src/test/resources/captions/02-bom")).images())
        .extracting(Captioned::caption)
        .allMatch(c -> c.matches("[a-z, ]+"));
  }

  @Test
  void nothingIsLeftOutInSilence() {
    Captioned.Found found =
        Captioned.read(Path.of("src/test/resources/captions/03-silent-captions"));
    assertThat(found.images())
        .extracting(c -> c.file().getFileName().toString())
        .containsExactly(
            "a.PNG", "b.JPG", "c.Jpeg", "d.jfif", "h.webp", "i.WEBP", "j.bmp", "k.jpe");
    assertThat(names(found.unread())).containsExactly("e.tif", "f.tiff", "g.avif", "l.ppm");
    assertThat(names(found.withoutImage())).containsExactly("orphan.txt");
    assertThat(found.withoutCaption()).isEmpty();
  }

  @Test
  void whatSystemsLeaveBehindIsNoData() {
    Captioned.Found found = Captioned.read(Path.of("src/test/resources/captions/15-appledouble"));
    assertThat(found.images()).hasSize(2);
    assertThat(found.withoutImage()).isEmpty();
  }

  @Test
  void captionsBesideAMetadataFileAreNamed() throws IOException {
    file("a.png", "");
    file("a.txt", "one");
    file("b.png", "");
    file("b.txt", "two");
    file("metadata.csv", "filename,prompt\na.png,x\n");
    Captioned.Found found = Captioned.read(folder);
    assertThat(found.images()).extracting(Captioned::caption).containsExactly("x");
    assertThat(names(found.unheeded())).containsExactly("a.txt", "b.txt");
  }

  @Test
  void foldersAndImagesBehindLinks() throws IOException {
    file("elsewhere/a.png", "");
    file("elsewhere/a.txt", "one");
    Files.createDirectories(folder.resolve("data"));
    for (String name : List.of("a.png", "a.txt")) {
      Files.createSymbolicLink(
          folder.resolve("data").resolve(name), folder.resolve("elsewhere").resolve(name));
    }
    Files.createSymbolicLink(folder.resolve("data/sub"), folder.resolve("elsewhere"));
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("data"));
    assertThat(Captioned.read(folder.resolve("link")).images())
        .containsExactly(
            new Captioned(folder.resolve("link/a.png"), "one"),
            new Captioned(folder.resolve("link/sub/a.png"), "one"));
  }

  @Test
  void captionsInOtherEncodings() throws IOException {
    file("a.png", "");
    Charset gbk = Charset.forName("gbk");
    String caption = "一只小猫坐在窗台上看着外面的雨";
    Files.write(folder.resolve("a.txt"), caption.getBytes(gbk));
    TextFile.Encoding utf8 = new TextFile.Encoding(StandardCharsets.UTF_8, "caption_encoding");
    assertThatThrownBy(() -> Captioned.read(folder, utf8))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a.txt is not UTF-8 text; it looks like GB18030")
        .hasMessageContaining("Set caption_encoding: gb18030, or convert it: iconv");
    assertThat(Captioned.read(folder, new TextFile.Encoding(gbk, "caption_encoding")).images())
        .containsExactly(new Captioned(folder.resolve("a.png"), caption));
    Files.write(folder.resolve("a.txt"), "cat".getBytes(StandardCharsets.UTF_16LE));
    assertThatThrownBy(() -> Captioned.read(folder, utf8))
        .hasMessageContaining("it looks like UTF-16LE");
    for (String wide : List.of("UTF-16LE", "UTF-16BE")) {
      Files.write(folder.resolve("a.txt"), "一只小猫, 一二".getBytes(Charset.forName(wide)));
      assertThatThrownBy(() -> Captioned.read(folder, utf8))
          .hasMessageContaining("it looks like " + wide);
    }
  }

  /** One caption is too short to tell; the first is UTF-8 by chance. */
  @Test
  void theGuessLooksAtTheNeighboursToo() throws IOException {
    String[] captions = {"猫", "黑狗在草地上跑", "窗台上的花", "雨天的街道", "孩子们在海边玩沙子", "a cat"};
    for (int i = 0; i < captions.length; i++) {
      file(i + ".png", "");
      Files.write(folder.resolve(i + ".txt"), captions[i].getBytes(Charset.forName("gbk")));
    }
    TextFile.Encoding utf8 = new TextFile.Encoding(StandardCharsets.UTF_8, "caption_encoding");
    assertThatThrownBy(() -> Captioned.read(folder, utf8))
        .hasMessageContaining("1.txt is not UTF-8 text; it looks like GB18030");
  }

  @Test
  void aNameThatNoFileCanHave() throws IOException {
    file("a.png", "");
    file("metadata.csv", "filename,prompt\na\0.png,x\n");
    assertThatThrownBy(() -> Captioned.read(folder))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("metadata.csv line 2: no file can have the name a\uFFFD.png");
  }

  @Test
  void theTriggerWordIsAWholeWord() {
    for (String has : List.of("art", "Art, a cat", "a cat (art)", "pop-art", "by art.")) {
      assertThat(new Captioned(folder, has).triggeredBy("art").caption()).isEqualTo(has);
    }
    for (String lacks : List.of("cartoon", "party", "art_deco", "ärt", "arté", "art2", "")) {
      assertThat(new Captioned(folder, lacks).triggeredBy("art").caption())
          .isEqualTo(lacks.isEmpty() ? "art" : "art, " + lacks);
    }
    assertThat(new Captioned(folder, "一只小猫坐着").triggeredBy("猫").caption()).doesNotContain(",");
    assertThat(new Captioned(folder, "a (b").triggeredBy("(b").caption()).isEqualTo("a (b");
  }

  @Test
  void bucketsKeepTheRatioAndTheArea() {
    Buckets buckets = new Buckets(512, 64);
    assertThat(buckets.nearest(700, 700)).isEqualTo(new Buckets.Size(512, 512));
    assertThat(buckets.nearest(1920, 1080)).isEqualTo(new Buckets.Size(640, 384));
    assertThat(buckets.nearest(100, 3000)).isEqualTo(new Buckets.Size(64, 1024));
    for (int w = 100; w < 2000; w += 77) {
      Buckets.Size s = buckets.nearest(w, 640);
      assertThat(s.width() * s.height()).isLessThanOrEqualTo(512 * 512);
      assertThat(s.width() % 64 + s.height() % 64).isZero();
    }
    assertThat(new Buckets(48, 64).nearest(3, 2)).isEqualTo(new Buckets.Size(48, 48));
  }
}
