package io.exactframe.netty.benchmark;

import io.exactframe.netty.benchmark.Samples.Ratio;
import java.util.Locale;

/** Rows of text in columns of fixed width: words to the left, numbers to the right. */
final class Table {
    private final String format;

    /** A title, and for each column its heading and width; negative for words. */
    Table(String title, Object... headingsAndWidths) {
        StringBuilder format = new StringBuilder();
        Object[] headings = new Object[headingsAndWidths.length / 2];
        for (int i = 0; i < headings.length; i++) {
            headings[i] = headingsAndWidths[2 * i];
            format.append(i == 0 ? "%" : " | %").append(headingsAndWidths[2 * i + 1]).append('s');
        }
        this.format = format.append("%n").toString();
        System.out.println(title);
        System.out.printf(this.format, headings);
    }

    void row(Object... cells) {
        System.out.printf(format, cells);
        System.out.flush();
    }

    static String number(String format, double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, format, value) : "-";
    }

    static String ratio(Ratio ratio) {
        return Double.isFinite(ratio.value())
                ? String.format(Locale.ROOT, "%.2f (%.2f-%.2f)", ratio.value(), ratio.low(), ratio.high())
                : "-";
    }
}
