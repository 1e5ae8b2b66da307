package io.exactframe.netty.benchmark;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A picture of ratios, as SVG: groups of horizontal bars that begin at 1, on a logarithmic scale, in two columns. What
 * is not faster for certain has another colour. Colours follow the reader's light or dark mode.
 */
final class BarChart {
    private static final int FOOTER_LINE = 150;
    private static final int WIDTH = 860;
    private static final int LABELS = 232;
    private static final int COLUMN = 314;
    private static final int PLOT = 260; // of a column; the rest is for the number
    private static final int TOP = 112;
    private static final int BAR = 9;
    private static final double LEAST = 0.5;
    private static final double MOST = 32;

    private final StringBuilder body = new StringBuilder();
    private int y = TOP;

    /**
     * A ratio, its range, and what it could be at most (a number that is not one for unknown).
     *
     * @param column 0 or 1
     * @param pale whether it is the second of its kind
     */
    record Bar(double value, double low, double high, double limit, int column, boolean pale) {}

    void section(String title, String left, String right, Map<String, List<Bar>> groups) {
        text("h", LABELS - 10, y, "end", title);
        String[] headings = {left, right};
        int begin = y += 10;
        StringBuilder bars = new StringBuilder();
        for (Map.Entry<String, List<Bar>> group : groups.entrySet()) {
            int height = Math.max(rows(group.getValue(), 0), rows(group.getValue(), 1)) * (BAR + 1);
            if (height == 0) {
                continue;
            }
            text("l", LABELS - 10, y + height / 2 + 8, "end", group.getKey());
            for (int column = 0; column < 2; column++) {
                int top = y + 4;
                for (Bar bar : group.getValue()) {
                    if (bar.column == column) {
                        draw(bars, bar, top);
                        top += BAR + 1;
                    }
                }
            }
            y += height + 7;
        }
        for (int column = 0; column < 2; column++) {
            int ours = column;
            if (groups.values().stream().anyMatch(group -> rows(group, ours) > 0)) {
                text("h", LABELS + column * COLUMN + x(1), begin - 10, "start", headings[column]);
                grid(column, begin);
            }
        }
        body.append(bars);
        y += 36;
    }

    private static int rows(List<Bar> bars, int column) {
        return (int) bars.stream().filter(bar -> bar.column == column).count();
    }

    private static void draw(StringBuilder out, Bar bar, int top) {
        double origin = LABELS + bar.column * COLUMN;
        double one = origin + x(1);
        double end = origin + x(bar.value);
        String colour = (bar.low > 1 ? "fast" : "slow") + (bar.pale ? " pale" : "");
        out.append(format(
                "<rect class='%s' x='%.1f' y='%d' width='%.1f' height='%d'/>%n",
                colour, Math.min(one, end), top, Math.max(1, Math.abs(end - one)), BAR));
        double middle = top + BAR / 2.0;
        out.append(format(
                "<path class='range' d='M%.1f %.1fH%.1f'/>%n", origin + x(bar.low), middle, origin + x(bar.high)));
        if (bar.limit > 0) {
            out.append(format("<path class='limit' d='M%.1f %dv%d'/>%n", origin + x(bar.limit), top, BAR));
        }
        out.append(format(
                "<text class='n' x='%.1f' y='%d' text-anchor='end'>%s</text>%n",
                origin + PLOT + 34, top + BAR - 1, format(bar.value < 9.95 ? "%.2f" : "%.0f", bar.value)));
    }

    private void grid(int column, int begin) {
        for (double tick = LEAST; tick <= MOST; tick *= 2) {
            double x = LABELS + column * COLUMN + x(tick);
            body.append(format(
                    "<path class='%s' d='M%.1f %dV%d'/>%n", tick == 1 ? "one" : "grid", x, begin, y + 2));
            text("t", x, y + 14, "middle", tick < 1 ? "½" : format("%.0f", tick));
        }
    }

    /** From the left of a column; what lies outside the scale is drawn at its end. */
    private static double x(double ratio) {
        double clipped = Math.min(MOST, Math.max(LEAST, ratio));
        return PLOT * Math.log(clipped / LEAST) / Math.log(MOST / LEAST);
    }

    private void text(String style, double x, double y, String anchor, String text) {
        String escaped = text.replace("&", "&amp;").replace("<", "&lt;");
        body.append(format(
                "<text class='%s' x='%.1f' y='%.1f' text-anchor='%s'>%s</text>%n", style, x, y, anchor, escaped));
    }

    private static String format(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }

    /** The whole picture. */
    String finish(String title, String subtitle, String footer) {
        text("title", 10, 24, "start", title);
        text("l", 10, 44, "start", subtitle);
        String left = footer;
        while (!left.isEmpty()) {
            int space = left.lastIndexOf(' ', FOOTER_LINE);
            int end = left.length() <= FOOTER_LINE || space < 0 ? left.length() : space;
            text("t", 10, y - 6, "start", left.substring(0, end));
            left = left.substring(end).strip();
            y += 14;
        }
        int height = y - 8;
        legend(68);
        return format(
                        """
                        <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %1$d %2$d' width='%1$d' height='%2$d' \
                        role='img' font-family='system-ui, sans-serif'>
                        <style>
                        text { fill: #1f2328; font-size: 12px } .title { font-size: 16px; font-weight: 600 }
                        .h { font-weight: 600 } .n { font-size: 10px } .t { font-size: 10px; opacity: .7 }
                        .fast { fill: #1a7f6b } .slow { fill: #d1622b } .pale { opacity: .6 }
                        .grid { stroke: #8886; stroke-width: .5 } .one { stroke: #1f2328; stroke-width: 1.5 }
                        .range { stroke: #1f2328; stroke-width: 1; opacity: .6 }
                        .limit { stroke: #8250df; stroke-width: 2 }
                        @media (prefers-color-scheme: dark) {
                        text { fill: #e6edf3 } .fast { fill: #2ea88f } .slow { fill: #e8834d }
                        .one, .range { stroke: #e6edf3 } .limit { stroke: #b98cff } }
                        </style>
                        <title>%3$s</title>
                        """,
                        WIDTH, height, title)
                + body + "</svg>\n";
    }

    private void legend(int y) {
        String[][] entries = {
            {"fast", "faster"},
            {"slow", "not faster, or not for certain"},
            {"fast pale", "fixed-length frames"},
            {"limit", "no decoder at all"},
            {"range", "quartile to quartile"}
        };
        int x = 10;
        for (String[] entry : entries) {
            String shape = entry[0].equals("limit")
                    ? "<path class='limit' d='M%d %dv9'/>%n"
                    : entry[0].equals("range") ? "<path class='range' d='M%d %dm0 4h12'/>%n" : null;
            body.append(shape == null
                    ? format("<rect class='%s' x='%d' y='%d' width='12' height='9'/>%n", entry[0], x, y)
                    : format(shape, x, y));
            text("l", x + 18, y + 9, "start", entry[1]);
            x += 40 + 6 * entry[1].length();
        }
    }
}
